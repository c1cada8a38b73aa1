"""The forms in which an owner describes a plate source."""

from typing import Any, Final

import voluptuous as vol
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)

from .frigate import settings as frigate
from .generic import recipe, settings as generic
from .generic.presets import PRESETS
from .generic.recipe import Scale

CONF_PRESET: Final = "preset"
CONF_WHICH: Final = "which"

TEXT: Final = TextSelector(TextSelectorConfig())
TEXTS: Final = TextSelector(TextSelectorConfig(multiple=True))
YES_NO: Final = BooleanSelector()

_NAME: Final[dict[Any, Any]] = {vol.Required(frigate.CONF_SOURCE_NAME): TEXT}

_RECIPE: Final[dict[Any, Any]] = {
    vol.Required(recipe.CONF_PLATE_PATH): TEXT,
    vol.Optional(recipe.CONF_EACH_PATH): TEXT,
    vol.Required(recipe.CONF_SCORE_SCALE, default=Scale.NONE.value): SelectSelector(
        SelectSelectorConfig(
            options=[scale.value for scale in Scale],
            mode=SelectSelectorMode.DROPDOWN,
            translation_key=recipe.CONF_SCORE_SCALE,
        )
    ),
    vol.Optional(recipe.CONF_SCORE_PATH): TEXT,
    vol.Required(recipe.CONF_MIN_SCORE, default=0): NumberSelector(
        NumberSelectorConfig(min=0, max=100, step=1, unit_of_measurement="%", mode=NumberSelectorMode.BOX)
    ),
    vol.Required(recipe.CONF_BELIEVE_ALONE, default=False): YES_NO,
    vol.Optional(recipe.CONF_CAMERA_PATH): TEXT,
    vol.Optional(recipe.CONF_CAMERAS): TEXTS,
    vol.Optional(recipe.CONF_ONLY_PATH): TEXT,
    vol.Optional(recipe.CONF_ONLY): TEXTS,
    vol.Optional(recipe.CONF_TIME_PATH): TEXT,
    vol.Required(recipe.CONF_MAX_AGE, default=recipe.USUAL_MAX_AGE): NumberSelector(
        NumberSelectorConfig(min=2, max=120, step=1, unit_of_measurement="s", mode=NumberSelectorMode.BOX)
    ),
    vol.Required(recipe.CONF_SPARSE, default=False): YES_NO,
}

# Any: at run time these are schemas of Home Assistant's own engine, which voluptuous' types do not know.
KNOWN_SCHEMA: Final[Any] = vol.Schema(
    {
        vol.Required(CONF_PRESET): SelectSelector(
            SelectSelectorConfig(
                options=[SelectOptionDict(value=key, label=preset.title) for key, preset in PRESETS.items()],
                mode=SelectSelectorMode.LIST,
            )
        )
    }
)
FRIGATE_SCHEMA: Final[Any] = vol.Schema(
    {
        **_NAME,
        vol.Required(frigate.CONF_PREFIX, default=frigate.USUAL_PREFIX): TEXT,
        vol.Optional(frigate.CONF_URL): TextSelector(TextSelectorConfig(type=TextSelectorType.URL)),
        vol.Optional(frigate.CONF_USERNAME): TextSelector(TextSelectorConfig(autocomplete="off")),
        vol.Optional(frigate.CONF_PASSWORD): TextSelector(
            TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="off")
        ),
        vol.Required(frigate.CONF_VERIFY_SSL, default=True): YES_NO,
    }
)
EVENT_SCHEMA: Final[Any] = vol.Schema({**_NAME, vol.Required(generic.CONF_EVENT_TYPE): TEXT, **_RECIPE})
ENTITY_SCHEMA: Final[Any] = vol.Schema(
    {
        **_NAME,
        vol.Required(generic.CONF_ENTITY): EntitySelector(),
        vol.Required(generic.CONF_REPEATS, default=False): YES_NO,
        **_RECIPE,
    }
)
TOPIC_SCHEMA: Final[Any] = vol.Schema({**_NAME, vol.Required(generic.CONF_TOPIC): TEXT, **_RECIPE})
WEBHOOK_SCHEMA: Final[Any] = vol.Schema(
    {**_NAME, vol.Required(generic.CONF_LOCAL_ONLY, default=True): YES_NO, **_RECIPE}
)
WEBHOOK_URL_SCHEMA: Final[Any] = vol.Schema({})


def camera_schema(cameras: list[str], zones: list[str]) -> Any:
    """Make the form for one of Frigate's cameras; what is known is offered, anything can be typed."""
    return vol.Schema(
        {
            vol.Required(frigate.CONF_FRIGATE_CAMERA): _choice(cameras),
            vol.Optional(frigate.CONF_ZONES): _choice(zones, multiple=True),
            vol.Required(frigate.CONF_SWITCH_CAMERA, default=False): YES_NO,
            vol.Required(frigate.CONF_PICTURES, default=False): YES_NO,
        }
    )


def which_schema(names: list[str], *, multiple: bool) -> Any:
    """Make the form that asks for some of the sources that there are."""
    options = [SelectOptionDict(value=str(index), label=name) for index, name in enumerate(names)]
    config = SelectSelectorConfig(options=options, mode=SelectSelectorMode.LIST, multiple=multiple)
    return vol.Schema({vol.Required(CONF_WHICH): SelectSelector(config)})


def _choice(options: list[str], *, multiple: bool = False) -> SelectSelector:
    return SelectSelector(
        SelectSelectorConfig(
            options=options, custom_value=True, multiple=multiple, mode=SelectSelectorMode.DROPDOWN, sort=True
        )
    )


# Each step with its form, for the test that every field is named and explained.
FORMS: Final[dict[str, Any]] = {
    "source_known": KNOWN_SCHEMA,
    "source_frigate": FRIGATE_SCHEMA,
    "source_frigate_camera": camera_schema([], []),
    "source_event": EVENT_SCHEMA,
    "source_entity": ENTITY_SCHEMA,
    "source_mqtt": TOPIC_SCHEMA,
    "source_webhook": WEBHOOK_SCHEMA,
    "source_change": which_schema([], multiple=False),
    "source_remove": which_schema([], multiple=True),
}
