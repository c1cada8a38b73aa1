"""The wire is one contract: the golden messages in vectors/ against the house's side and the backend's side."""

import dataclasses
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from custom_components.parkshare.codes import rotating
from custom_components.parkshare.gate.grant import Grant
from custom_components.parkshare.link import facts, keys, protocol as house, sealing
from custom_components.parkshare.terms import terms_document
from parkshare_backend.bookings import models as bookings
from parkshare_backend.bookings.terms import Terms
from parkshare_backend.bookings.terms_wire import TermsHeard
from parkshare_backend.link import protocol as backend
from parkshare_backend.link.service import check
from parkshare_backend.spaces import models as spaces
from parkshare_backend.standby import models as standbys

VECTORS = Path(__file__).parent / "vectors"


def load(name: str) -> dict[str, Any]:
    return json.loads((VECTORS / f"{name}.json").read_text())


def cases(name: str) -> list[Any]:
    return [pytest.param(case, id=f"{name}-{index}") for index, case in enumerate(load(name)["cases"])]


def fields_of(value: Any) -> dict[str, Any]:
    """A frame or fact as JSON would hold it."""
    return json.loads(json.dumps(dataclasses.asdict(value), default=lambda content: content.hex()))


@pytest.mark.parametrize("case", cases("auth"))
def test_both_sides_sign_the_same_bytes(case: dict[str, str]) -> None:
    said = {key: case[key] for key in ("host", "install", "nonce", "time")}
    assert house.auth_payload(**said) == case["payload"].encode()
    assert house.auth_message(**said).hex() == case["pae"]
    assert backend.signed_bytes(**said).hex() == case["pae"]


@pytest.mark.parametrize("case", cases("auth"))
def test_the_house_proves_itself_with_the_expected_signature(case: dict[str, str]) -> None:
    sign = load("auth")["private_key"]
    _, seal = keys.HouseKeys.generate().private_text()
    mine = keys.HouseKeys.from_text(sign=sign, seal=seal)
    assert mine.sign_public == load("auth")["public_key"]
    assert mine.prove(bytes.fromhex(case["pae"])) == case["sig"]
    Ed25519PrivateKey.from_private_bytes(keys.key_bytes(sign)).public_key().verify(
        keys.to_bytes(case["sig"]), bytes.fromhex(case["pae"])
    )


@pytest.mark.parametrize("case", cases("sealed_plate"))
def test_the_house_opens_what_was_sealed_to_it(case: dict[str, str]) -> None:
    key = X25519PrivateKey.from_private_bytes(keys.key_bytes(load("sealed_plate")["private_key"]))
    bound = {"booking": case["booking"], "space": case["space"]}
    assert sealing.info(**bound).decode() == case["info"]
    assert sealing.pad(case["plate"], case.get("code_key", "")).decode() == case["plain"]
    opened = sealing.unseal(case["sealed"], key=key, **bound)
    assert (opened.plate, opened.code_key) == (case["plate"], case.get("code_key", ""))


@pytest.mark.parametrize("case", cases("sealed_plate"))
def test_the_backend_takes_a_sealed_plate_of_this_length(case: dict[str, str]) -> None:
    booking = {"standby": case["space"], "booking": case["booking"], "sealed_plate": case["sealed"]}
    assert bytes(check(standbys.StandbyAcceptHeard, booking).sealed_plate) == keys.to_bytes(case["sealed"])


@pytest.mark.parametrize("case", cases("codes"))
def test_the_house_expects_the_code_that_the_renters_program_shows(case: dict[str, Any]) -> None:
    grant = Grant(booking="b", space="s", start=0.0, end=1.0, plate="AB1", code_key=case["code_key"])
    now, later = rotating.shown_codes(grant, case["at"]), rotating.shown_codes(grant, case["at"] + rotating.PERIOD)
    assert now[0] == later[1] == case["code"]
    # As a program without a library for one-time codes would do it.
    mac = hmac.digest(keys.to_bytes(case["code_key"]), case["counter"].to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 15
    assert int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF == case["number"]
    signs = load("codes")["signs"]
    assert "".join(signs[case["number"] >> shift & 15] for shift in range(28, -1, -4)) == case["code"]


@pytest.mark.parametrize("case", cases("server_frames"))
def test_the_house_reads_the_frames_of_the_backend(case: dict[str, Any]) -> None:
    frame = house.decode(json.dumps(case["text"]))
    assert type(frame).__name__ == case["kind"]
    assert fields_of(frame) == case["means"]


@pytest.mark.parametrize("case", cases("server_frames"))
def test_the_backend_writes_frames_like_these(case: dict[str, Any]) -> None:
    members = {key: value for key, value in case["text"].items() if key != "k"}
    assert json.loads(backend.encode(case["text"]["k"], **members)) == case["text"]


@pytest.mark.parametrize("case", cases("house_frames"))
def test_the_backend_reads_the_frames_of_the_house(case: dict[str, Any]) -> None:
    frame = backend.decode(house.encode(case["frame"]))
    assert type(frame).__name__ == case["kind"]
    assert fields_of(frame) == case["means"]


def test_the_house_writes_its_frames_like_these() -> None:
    auth, event, ack, request = (case["frame"] for case in load("house_frames")["cases"])
    resume = auth["resume"]
    assert house.auth_frame(install=auth["install"], sig=auth["sig"], epoch=resume["epoch"], got=resume["got"]) == auth
    told = house.Event(event["q"], event["id"], event["t"], event["at"], event["d"])
    assert house.event_frame(told) == event
    assert house.ack_frame(ack["q"]) == ack
    assert house.request_frame(request["id"], request["t"], request["d"], request["key"]) == request


READ_AS = {
    "booking.proposed": facts.Proposal,
    "booking.changed": facts.Proposal,
    "booking.canceled": facts.Cancellation,
    "booking.asked": facts.BookingAsked,
    "renter.near": facts.RenterSeen,
    "renter.away": facts.RenterSeen,
    "renter.code": facts.RenterCode,
    "standby.offered": facts.StandbyOffer,
    "standby.none": facts.StandbyNone,
    "standby.ended": facts.StandbyEnded,
}


@pytest.mark.parametrize("case", cases("facts"))
def test_the_house_understands_the_facts_of_the_backend(case: dict[str, Any]) -> None:
    assert fields_of(READ_AS[case["t"]].parse(case["d"])) == case["means"]


NOT_READ = {
    "booking.canceled": {"reason"},
    "booking.asked": {"revision"},
    "renter.near": {"source"},
    "standby.none": {"reason"},
    "standby.ended": {"booking", "space", "period"},
}


@pytest.mark.parametrize("case", cases("facts"))
def test_a_fact_that_lacks_what_the_house_needs_is_refused(case: dict[str, Any]) -> None:
    optional = {"renter", "a_later_field"} | NOT_READ.get(case["t"], set())
    for key in case["d"].keys() - optional:
        lacking = {name: value for name, value in case["d"].items() if name != key}
        with pytest.raises(facts.BadFactError):
            READ_AS[case["t"]].parse(lacking)


TAKEN_AS = {
    "space.publish": spaces.SpacePublish,
    "windows.publish": spaces.WindowsPublish,
    "space.withdraw": spaces.SpaceWithdraw,
    "standby.accept": standbys.StandbyAcceptHeard,
    "standby.decline": standbys.StandbyDeclineHeard,
    "booking.approved": bookings.Answered,
    "booking.declined": bookings.Answered,
    "grant.stored": bookings.GrantStored,
    "grant.refused": bookings.GrantRefused,
    "admission.decided": bookings.AdmissionDecided,
    "stay.arrived": bookings.Stay,
    "stay.left": bookings.Stay,
    "stay.ending": bookings.Stay,
    "stay.overstayed": bookings.Stay,
    "stay.extended": bookings.Stay,
    "bay.taken": bookings.Stay,
    "bay.free": bookings.Stay,
    "help.offered": bookings.HelpOffered,
    "code.checked": bookings.CodeChecked,
    "owner.near": standbys.OwnerMoved,
    "owner.away": standbys.OwnerMoved,
    "space.state": spaces.SpaceState,
}


@pytest.mark.parametrize("case", cases("house_requests") + cases("house_events"))
def test_the_backend_takes_what_the_house_says(case: dict[str, Any]) -> None:
    said = check(TAKEN_AS[case["t"]], case["d"])
    for name in ("phone", "record"):
        assert getattr(said, name, None) == case["d"].get(name), "it is dropped where it can't be used"


CHOSEN = {
    "approval": "owner", "shortest_min": 30, "longest_min": 720, "notice_min": 60, "cancel_until_min": 120,
    "noshow_min": 45, "grace_min": 10,
}  # fmt: skip


@pytest.mark.parametrize("case", [case for case in load("house_requests")["cases"] if "terms" in case["d"]])
def test_the_terms_that_an_owner_chose_are_those_that_the_backend_keeps(case: dict[str, Any]) -> None:
    said = terms_document(CHOSEN)
    assert said == case["d"]["terms"]
    kept = json.loads(check(spaces.SpacePublish, case["d"]).terms.terms().to_json())
    assert {word: kept[word] for word in said} == said


def test_an_owner_who_chose_nothing_lets_on_the_terms_of_the_backend() -> None:
    assert TermsHeard.model_validate(terms_document({"noshow_min": 0})).terms() == Terms()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        '{"k":7}',
        '{"k":"ev"}',
        '{"k":"ev","q":-1,"id":"a","t":"b","at":"c","d":{}}',
        '{"k":"ev","q":true,"id":"a","t":"b","at":"c","d":{}}',
        '{"k":"ev","q":1,"id":"a","t":"b","at":"c","d":[]}',
        '{"k":"hello","v":[1],"server":"s","epoch":"e","nonce":"n","time":"t"}',
        '{"k":"snap","of":"bookings","q":1,"part":2,"parts":1,"d":[]}',
        '{"k":"snap","of":"bookings","q":1,"part":1,"parts":1,"d":[7]}',
        '{"k":"ready","resumed":true,"head":1}',
    ],
)
def test_what_is_not_a_frame_is_refused(text: str) -> None:
    with pytest.raises(house.BadFrameError):
        house.decode(text)


def test_a_frame_that_the_other_side_would_not_accept_is_not_sent() -> None:
    assert house.MAX_FRAME == backend.MAX_FRAME
    with pytest.raises(house.BadFrameError):
        house.encode({"k": "eph", "t": "x", "d": {"text": "ä" * house.MAX_FRAME}})


def test_both_sides_name_the_same_reasons_for_closing() -> None:
    assert {code.name: int(code) for code in house.CloseCode} == {code.name: int(code) for code in backend.Close}


def test_house_and_backend_agree_on_the_limits() -> None:
    assert house.ACK_AFTER_EVENTS <= backend.ACK_EVERY
    assert house.REQUEST_TIMEOUT >= backend.ANSWER_WITHIN
    assert sealing.SEALED_BYTES == 176
