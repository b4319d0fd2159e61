"""A set of texts in little memory: it never forgets one and never invents one."""

from random import Random

from secondwind.data.seen import SeenTexts, text_digest


def test_digests_are_found_again_after_the_table_has_grown() -> None:
    digests = [text_digest(str(number)) for number in range(20_000)]
    seen = SeenTexts()
    assert all(seen.add(digest) for digest in digests)
    assert not any(seen.add(digest) for digest in digests)
    assert len(seen) == 20_000


def test_set_agrees_with_a_plain_one_for_digests_that_collide() -> None:
    draws = Random(5)
    seen, plain = SeenTexts(), set[bytes]()
    for _ in range(1500):
        # The first eight bytes choose the slot: twenty values, so that most digests meet others there.
        digest = draws.randrange(20).to_bytes(8, "little") + draws.randrange(1, 60).to_bytes(8, "little")
        assert seen.add(digest) == (digest not in plain)
        plain.add(digest)
    assert len(seen) == len(plain)
