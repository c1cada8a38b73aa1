"""The three levels."""

from itertools import pairwise

from custom_components.parkshare.recognition import DEFAULT_POLICY, POLICIES, Level, VerdictPolicy


def test_the_balanced_level_is_what_nobody_has_to_choose() -> None:
    assert POLICIES[Level.BALANCED] == DEFAULT_POLICY == VerdictPolicy()


def test_each_level_asks_for_no_more_than_the_stricter_one() -> None:
    levels = [POLICIES[level] for level in (Level.STRICT, Level.BALANCED, Level.LENIENT)]
    for stricter, looser in pairwise(levels):
        assert stricter.lead_score >= looser.lead_score
        assert stricter.text_confidence >= looser.text_confidence
        assert stricter.text_alone <= looser.text_alone
        assert stricter.part_alone <= looser.part_alone
        for score in ("admit_score", "admit_score_two_readers"):
            assert getattr(stricter, score) >= getattr(looser, score)
            assert getattr(stricter, score) - stricter.two_looks_ease >= getattr(looser, score) - looser.two_looks_ease


def test_no_level_asks_more_of_two_readers_than_of_one() -> None:
    assert all(policy.admit_score_two_readers <= policy.admit_score for policy in POLICIES.values())


def test_levels_differ_only_in_what_admits() -> None:
    assert len({(p.contrary_score, p.contrary_confidence, p.contrary_places, p.contrary_looks, p.looks_apart_s)
                for p in POLICIES.values()}) == 1  # fmt: skip
