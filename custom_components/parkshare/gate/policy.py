"""How patient the gate is, and what it believes. All durations in seconds."""

from dataclasses import dataclass

from .kinds import Raising


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """How long the gate waits and what it believes."""

    # The camera and the reader are warm when the booked period begins; the barrier waits for the period itself.
    arm_early: float = 60.0
    # How long before its period a car may be admitted. More than 0 opens outside of the window that was offered.
    early: float = 0.0
    # Without a sign of the car the camera watches the bay until so long after the start of the period.
    watch: float = 3600.0
    # It begins only so long after the start: until then the phone, "I'm here" or a sensor wakes the camera. It is for a
    # renter whose phone tells nothing; a renter who comes much later finds the camera off.
    watch_delay: float = 120.0
    # With the backend away for so long no phone can wake the camera: then it watches from arm_early on.
    link_patience: float = 20.0
    # How long the camera looks after the last sign of the car.
    look_budget: float = 300.0
    # Between two pictures: with a sign of the car or another car in view, and while only watching. Pictures are taken
    # while one is read, so the next read has the best of what came meanwhile.
    look_pace: float = 0.28
    watch_pace: float = 4.0
    # A fact that took longer on its way never arms a camera.
    near_max_age: float = 120.0
    # A verdict from older pictures does not move the barrier.
    verdict_max_age: float = 10.0
    # One that moves nothing may take longer: a slow machine is to tell of a wrong car too.
    refusal_max_age: float = 60.0
    # Another plate is believed only after it was seen for so long: the renter may stand behind another car.
    refuse_settle: float = 5.0
    # The ladder of a renter who stands there: so long after the first sign of them each rung is taken, as long as no
    # plate admits. Somebody in the rain waits; the owner's answer takes time, so the code is offered soon after.
    harder_after: float = 15.0
    owner_after: float = 30.0
    code_after: float = 50.0
    call_after: float = 90.0
    # A plate in view is a sign of somebody for so long.
    sign_lasts: float = 10.0
    # A code that took longer from the renter to us opens nothing.
    code_max_age: float = 30.0
    # So many of the owner's last refusals are remembered.
    barred_kept: int = 20
    # Commands begin, and are repeated, only within these times.
    lower_valid: float = 60.0
    raise_valid: float = 20.0
    # After a command's end the adapter has so long to say how it went.
    command_grace: float = 15.0
    # A barrier that answers later than this was moved by somebody else.
    late_answer: float = 120.0
    # Without any sensor a car is taken to have parked so long after the barrier went down.
    assume_arrived: float = 120.0
    # A car that is let in and not seen to come into the bay for so long may stand before a barrier that is not down,
    # whatever that says; sooner when the renter says again that they are there.
    not_in_after: float = 150.0
    not_in_here_after: float = 15.0
    # Sensors of one bay that disagree for so long: one of them is broken.
    disagree_after: float = 600.0
    # An admission without a booking (the owner's hand) that nobody used is over after this.
    unused_admission: float = 900.0
    # Clear for so long, and the car has left.
    departure_debounce: float = 20.0
    # What the owner wants when a car has left. AUTOMATIC still needs clears_to_raise.
    raising: Raising = Raising.AUTOMATIC
    # Before the end of a stay (at most a quarter of its period) and so long after it, people are told. Ten minutes of
    # grace are what the British parking industry's code of practice gives.
    warn_before: float = 600.0
    grace: float = 600.0
    # A car of nobody in the bay is told of so long before the next booking, when it has stood there for so long.
    protect_before: float = 1800.0
    taken_settle: float = 60.0
    # Between "left" and the motor; any detection stops it.
    raise_warning: float = 10.0
    clears_to_raise: int = 2
    clear_max_age: float = 180.0
    # So many raises in a row ended by a car or a sensor; then the owner has to look what is wrong.
    aborted_raises: int = 2


DEFAULT_POLICY = GatePolicy()
