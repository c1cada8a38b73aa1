"""What an hour costs, how one gets in and which plug there is, as an owner enters it and the backend hears it."""

import json
from pathlib import Path
from typing import Any

import pytest
from homeassistant.core import HomeAssistant
from hypothesis import given, strategies as st

from custom_components.parkshare.flows.reading import MENU
from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.offered import PLUGS, from_minor, places, to_minor
from custom_components.parkshare.publisher import space_document
from parkshare_backend.money.amounts import EXPONENTS
from parkshare_backend.spaces.models import SpacePublish
from tests.home.camera_house import Pictures, SpaceFlow

KEY = "A" * 43
CHOSEN = {"price": 2.5, "access_notes": "Second yard \n on the left", "plug": "type_2", "plug_kw": 11}


@pytest.fixture
async def flow(hass: HomeAssistant, house: ParkShareHub, pictures: Pictures) -> SpaceFlow:
    """The form, from the menu of the space that is there."""
    hass.config.currency = "EUR"
    flow = await SpaceFlow(hass, house.entry).change()
    await flow.choose("offer")
    return flow


async def stored(hass: HomeAssistant, flow: SpaceFlow) -> None:
    await flow.choose("finish")
    await hass.async_block_till_done()


def published(hass: HomeAssistant, house: ParkShareHub) -> SpacePublish:
    """What the space is published as; the backend itself reads it."""
    (subentry,) = house.entry.subentries.values()
    return SpacePublish.model_validate(space_document(hass, subentry, seal_key=KEY, sharing=True))


async def test_price_notes_and_plug_are_stored_and_told_to_the_backend(
    hass: HomeAssistant, house: ParkShareHub, flow: SpaceFlow
) -> None:
    await flow.give(CHOSEN)
    assert flow.step == "reading"
    await stored(hass, flow)
    said = published(hass, house)
    assert (said.price.amount_minor, said.price.currency) == (250, "EUR")
    assert said.access_notes == "Second yard\non the left"
    assert said.plug is not None
    assert (said.plug.kind, said.plug.power_kw) == ("IEC_62196_T2", 11)


async def test_what_is_emptied_is_gone(hass: HomeAssistant, house: ParkShareHub, flow: SpaceFlow) -> None:
    await flow.give(CHOSEN)
    await flow.choose("offer")
    await flow.give({"price": 0})
    await stored(hass, flow)
    said = published(hass, house)
    assert (said.price.amount_minor, said.access_notes, said.plug) == (0, "", None)


async def test_a_price_keeps_its_currency_when_the_house_gets_another_one(
    hass: HomeAssistant, house: ParkShareHub, flow: SpaceFlow
) -> None:
    await flow.give(CHOSEN)
    await stored(hass, flow)
    hass.config.currency = "JPY"
    said = published(hass, house)
    assert (said.price.amount_minor, said.price.currency) == (250, "EUR")


async def test_a_currency_without_cents_is_not_multiplied(
    hass: HomeAssistant, house: ParkShareHub, pictures: Pictures
) -> None:
    hass.config.currency = "JPY"
    flow = await SpaceFlow(hass, house.entry).change()
    await flow.choose("offer")
    await flow.give({"price": 300})
    await stored(hass, flow)
    said = published(hass, house)
    assert (said.price.amount_minor, said.price.currency) == (300, "JPY")


@pytest.mark.parametrize(
    ("wrong", "field", "problem"),
    [
        ({"access_notes": "x" * 1001}, "access_notes", "notes_unfit"),
        ({"access_notes": "bell \x07"}, "access_notes", "notes_unfit"),
        ({"plug": None}, "plug", "power_without_plug"),
    ],
)
async def test_what_cannot_be_published_is_refused_in_the_form(
    flow: SpaceFlow, wrong: dict[str, Any], field: str, problem: str
) -> None:
    await flow.give({key: value for key, value in (CHOSEN | wrong).items() if value is not None})
    assert flow.step == "offer"
    assert flow.shown["errors"] == {field: problem}


async def test_a_space_of_which_nothing_is_said_is_free(hass: HomeAssistant, house: ParkShareHub) -> None:
    said = published(hass, house)
    assert (said.price.amount_minor, said.price.currency, said.access_notes, said.plug) == (
        0, hass.config.currency, "", None,
    )  # fmt: skip
    assert "offer" in MENU


@given(minor=st.integers(0, 10_000_000), currency=st.sampled_from(sorted(EXPONENTS)))
def test_an_amount_comes_back_from_the_form_as_it_was_stored(minor: int, currency: str) -> None:
    assert places(currency) == EXPONENTS[currency]
    assert to_minor(from_minor(minor, currency), currency) == minor


@pytest.mark.parametrize("language", ["en", "de"])
def test_every_plug_has_its_words(language: str) -> None:
    texts = json.loads(Path(f"custom_components/parkshare/translations/{language}.json").read_text())
    assert set(texts["selector"]["plug"]["options"]) == set(PLUGS)
