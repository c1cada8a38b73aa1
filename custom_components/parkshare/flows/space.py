"""Add or change one parking space: where it is, what stands on it, whose it is, how plates are read there."""

from typing import Any
from uuid import uuid7

from homeassistant.config_entries import SOURCE_RECONFIGURE, SubentryFlowResult

from custom_components.parkshare.const import CONF_NAME, CONF_SPACE_ID

from .equipment import EquipmentSteps
from .help import HelpSteps
from .offer import OfferSteps
from .place import PlaceSteps
from .raising import RaisingSteps
from .reading import ReadingSteps
from .region import RegionSteps
from .sources import SourceSteps
from .terms import TermsSteps
from .trial import TrialSteps


class SpaceSubentryFlow(
    PlaceSteps,
    EquipmentSteps,
    RaisingSteps,
    ReadingSteps,
    HelpSteps,
    OfferSteps,
    TermsSteps,
    RegionSteps,
    SourceSteps,
    TrialSteps,
):
    """Place, equipment, then a menu for the reading of plates, which ends the flow."""

    async def async_step_finish(self, _: dict[str, Any] | None = None) -> SubentryFlowResult:
        """Store the space."""
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_entry(), self._get_reconfigure_subentry(), title=self._space[CONF_NAME], data=self._space
            )
        space_id = str(uuid7())
        return self.async_create_entry(
            title=self._space[CONF_NAME], data={CONF_SPACE_ID: space_id, **self._space}, unique_id=space_id
        )
