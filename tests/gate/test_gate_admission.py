"""Who is let in: the plate within its period, nobody else."""

from dataclasses import replace

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.policy import DEFAULT_POLICY
from tests.gate.house import END, NEXT, RIGHT, START, House, kinds, moves


def test_the_right_plate_in_its_period_lowers_the_barrier() -> None:
    house = House()
    assert kinds(house.wait(945)) == [w.CameraOn]
    assert house.judged(w.Decision.ADMIT) == [], "five seconds too early"
    house.go_to_start()
    decided, camera, move = house.judged(w.Decision.ADMIT)
    assert decided == w.AdmissionDecided("b1", w.Decision.ADMIT, w.Cause.PLATE, START)
    assert camera == w.CameraOff()
    assert (move.command.target, move.command.cause, move.command.booking) == (w.Position.DOWN, w.Cause.PLATE, "b1")
    assert (move.command.issued_at, move.command.expires_at) == (START, START + 60.0)
    assert move.why == "The expected plate was read within the booked period."


def test_a_wrong_plate_is_told_once_and_the_camera_goes_on_looking() -> None:
    house = House()
    house.go_to_start()
    house.judged(w.Decision.REFUSE)
    house.wait(6)
    assert kinds(house.judged(w.Decision.REFUSE)) == [w.AdmissionDecided, w.Notify]
    house.wait(6)
    assert house.judged(w.Decision.REFUSE) == []
    assert house.gate.phase is w.Phase.LOOKING
    assert moves(house.judged(w.Decision.ADMIT)), "the renter stood behind another car"


def test_a_slow_reader_tells_of_a_wrong_car_but_opens_for_no_old_picture() -> None:
    house = House()
    house.now = START
    house.tell(w.RenterNear("b1", START, w.ArmedBy.HERE))
    told = []
    for _ in range(3):
        house.wait(12)
        told += house.tell(w.Judged("b1", w.Decision.REFUSE, house.now - 12, plate_seen=True))
    assert w.Notify(w.Notice.REFUSED, "b1") in told
    house.tell(w.Judged("b1", w.Decision.ADMIT, house.now - 12, plate_seen=True))
    assert house.gate.phase is w.Phase.LOOKING


def test_an_unreadable_plate_ends_in_unsure_and_the_owner_is_told() -> None:
    house = House()
    house.wait(990)
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    house.wait(60)
    house.judged(w.Decision.UNSURE)
    asked = [intent for intent in house.wait(3700) if not isinstance(intent, w.Help)]
    assert asked == [
        w.CameraOff(),
        w.AdmissionDecided("b1", w.Decision.UNSURE, w.Cause.PLATE, START + 3600),
        w.Notify(w.Notice.UNSURE, "b1"),
    ]
    assert house.gate.phase is w.Phase.IDLE


def test_an_early_buffer_never_opens_within_somebody_elses_period() -> None:
    house = House(rights=(RIGHT, NEXT), policy=replace(DEFAULT_POLICY, early=900.0))
    house.leave()
    house.wait(END - 600 - house.now)
    house.tell(w.RenterNear("b2", house.now, w.ArmedBy.HERE))
    assert house.judged(w.Decision.ADMIT, "b2") == []


def test_the_owner_lets_in_at_any_time() -> None:
    house = House(rights=())
    (wish,) = moves(house.tell(w.OwnerLetsIn()))
    assert (wish.cause, wish.booking) == (w.Cause.OWNER, None)


def test_without_a_sensor_the_next_renter_ends_the_stay_before() -> None:
    house = House((), (RIGHT, NEXT))
    house.admit()
    house.tell(w.LinkSeen(up=True))
    house.wait(END - house.now + 10)
    assert house.gate.phase is w.Phase.PARKED
    asked = house.tell(w.RenterNear("b2", house.now, w.ArmedBy.POSITION))
    assert kinds(asked) == [w.StayLeft, w.CameraOn]
    assert kinds(house.judged(w.Decision.ADMIT, "b2")) == [w.AdmissionDecided, w.CameraOff]


def test_in_their_own_period_a_renter_gets_in_although_another_booking_overlaps() -> None:
    other = w.Right(booking="b0", start=START - 600, end=END)
    house = House(rights=(RIGHT, other))
    house.go_to_start()
    house.tell(w.RenterAway("b0"), w.RightsChanged((RIGHT,)), w.RightsChanged((RIGHT, other)))
    house.tell(w.RenterNear("b1", house.now, w.ArmedBy.HERE))
    assert house.gate.booking == "b1"
    assert moves(house.judged(w.Decision.ADMIT))


def early(before: w.Right, at: float) -> list[w.Command]:
    """The car of a booking that begins at END comes early, and is read then."""
    house = House(rights=(before, NEXT), policy=replace(DEFAULT_POLICY, early=900.0))
    house.tell(w.LinkSeen(up=True))
    house.wait(at - house.now)
    house.tell(w.RenterNear("b2", house.now, w.ArmedBy.HERE))
    assert house.gate.booking == "b2"
    return moves(house.judged(w.Decision.ADMIT, "b2"))


def test_an_early_renter_gets_in_as_soon_as_the_period_before_is_over() -> None:
    gone = replace(RIGHT, end=END - 600)
    assert early(gone, END - 600)
    assert not early(gone, END - 601)


def test_an_early_renter_does_not_get_in_when_another_period_begins() -> None:
    other = w.Right(booking="b1", start=END - 300, end=END - 100)
    assert not early(other, END - 300)
    assert early(other, END - 301)
