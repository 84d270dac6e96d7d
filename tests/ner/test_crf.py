"""The conditional random field against the sum and the best of all rows of tags, one by one."""

from itertools import product

import pytest

torch = pytest.importorskip("torch", reason="tagging needs torch")

from jointalign.ner._crf import Chain, along, best_paths, losses, partition, path_score, rules  # noqa: E402
from jointalign.ner.base import Scheme, spans, written  # noqa: E402

TAGS, BATCH, LENGTH = 4, 6, 5


def case(seed, varying=False):
    generator = torch.Generator().manual_seed(seed)

    def numbers(*shape):
        return torch.randn(*shape, generator=generator)

    emissions = numbers(BATCH, LENGTH, TAGS)
    lengths = torch.tensor([5, 1, 3, 2, 5, 4])
    steps = numbers(BATCH, LENGTH - 1, TAGS, TAGS) if varying else numbers(TAGS, TAGS)
    return emissions, lengths, Chain(numbers(TAGS), numbers(TAGS), steps)


def by_hand(emissions, chain, tags, sentence):
    """Score of one row of tags, term by term."""
    total = chain.start[tags[0]] + chain.end[tags[-1]]
    for position, tag in enumerate(tags):
        total = total + emissions[position, tag]
        if position:
            step = chain.steps if chain.steps.dim() == 2 else chain.steps[sentence, position - 1]
            total = total + step[tags[position - 1], tag]
    return total


def everything(emissions, lengths, chain):
    """For each sentence, all rows of tags with their scores."""
    for number, length in enumerate(lengths.tolist()):
        yield {
            tags: by_hand(emissions[number], chain, tags, number)
            for tags in product(range(TAGS), repeat=length)
        }


@pytest.mark.parametrize("varying", [False, True], ids=["one matrix", "a matrix a word"])
@pytest.mark.parametrize("seed", range(3))
def test_partition_and_viterbi_equal_brute_force(seed, varying):
    emissions, lengths, chain = case(seed, varying)
    sums, best = partition(emissions, lengths, chain), best_paths(emissions, lengths, chain)
    for number, rows in enumerate(everything(emissions, lengths, chain)):
        expected = torch.logsumexp(torch.stack(list(rows.values())), 0)
        assert sums[number].item() == pytest.approx(expected.item(), abs=1e-4)
        found = best[number].tolist()
        assert tuple(found[: lengths[number]]) == max(rows, key=rows.__getitem__)
        assert not any(found[lengths[number] :])


@pytest.mark.parametrize("varying", [False, True], ids=["one matrix", "a matrix a word"])
def test_losses_are_those_of_the_probability_of_the_right_tags(varying):
    emissions, lengths, chain = case(1, varying)
    tags = torch.randint(0, TAGS, (BATCH, LENGTH), generator=torch.Generator().manual_seed(0))
    found = losses(emissions, tags, lengths, chain)
    scores = path_score(emissions, tags, lengths, chain)
    for number, rows in enumerate(everything(emissions, lengths, chain)):
        right = rows[tuple(tags[number, : lengths[number]].tolist())]
        assert scores[number].item() == pytest.approx(right.item(), abs=1e-5)
        probability = torch.softmax(torch.stack(list(rows.values())), 0)[list(rows.values()).index(right)]
        assert found[number].item() == pytest.approx(-probability.log().item(), abs=1e-4)


def test_the_gradient_is_the_expected_number_of_each_tag():
    """d log Z / d emission = the probability of that tag at that word (summed by brute force)."""
    emissions, lengths, chain = case(2)
    emissions.requires_grad_()
    partition(emissions, lengths, chain).sum().backward()
    for number, rows in enumerate(everything(emissions.detach(), lengths, chain)):
        weights = torch.softmax(torch.stack(list(rows.values())), 0)
        expected = torch.zeros(LENGTH, TAGS)
        for weight, tags in zip(weights, rows, strict=True):
            for position, tag in enumerate(tags):
                expected[position, tag] += weight
        torch.testing.assert_close(emissions.grad[number], expected, atol=1e-5, rtol=1e-4)


def test_what_lies_beyond_the_end_does_not_matter():
    emissions, lengths, chain = case(0)
    tags = torch.zeros(BATCH, LENGTH, dtype=torch.int64)
    other = emissions.clone()
    for number, length in enumerate(lengths.tolist()):
        other[number, length:] = 1e4
    longer = torch.cat([other, torch.full((BATCH, 3, TAGS), 1e4)], 1)
    padded = torch.cat([tags, torch.ones(BATCH, 3, dtype=torch.int64)], 1)
    torch.testing.assert_close(
        losses(emissions, tags, lengths, chain), losses(longer, padded, lengths, chain)
    )
    best = best_paths(longer, lengths, chain)
    assert torch.equal(best[:, :LENGTH], best_paths(emissions, lengths, chain))
    assert not best[:, LENGTH:].any()


@pytest.mark.parametrize("scheme", [Scheme.BIO2, Scheme.IOBES])
def test_rules_allow_exactly_what_the_scheme_can_write(scheme):
    tags = ["O", "B-A", "I-A", "B-B", "I-B"]
    if scheme is Scheme.IOBES:
        tags += ["E-A", "S-A", "E-B", "S-B"]
    chain = rules(tags)
    nothing = torch.zeros(3, len(tags))
    for row in product(range(len(tags)), repeat=3):
        spelt = [tags[tag] for tag in row]
        fine = written(spans(spelt), 3, scheme) == tuple(spelt)
        assert (by_hand(nothing, chain, row, 0) > -1) == fine, spelt


def test_decoding_under_rules_never_breaks_them():
    tags = ["O", "B-A", "I-A", "I-B"]
    emissions, lengths, chain = case(4)
    for row, length in zip(
        best_paths(emissions, lengths, chain.plus(rules(tags))).tolist(), lengths, strict=True
    ):
        spelt = [tags[tag] for tag in row[:length]]
        assert written(spans(spelt), len(spelt), Scheme.BIO2) == tuple(spelt)
        assert "I-B" not in spelt  # nothing can come before it


@pytest.mark.parametrize("varying", [False, True], ids=["one matrix", "a matrix a word"])
@pytest.mark.parametrize("seed", range(3))
def test_the_probability_of_a_stretch_of_tags_is_summed_over_all_rows_that_have_it(seed, varying):
    emissions, lengths, chain = case(seed, varying)
    emissions, chain = emissions.double(), Chain(*(part.double() for part in chain))
    generator = torch.Generator().manual_seed(seed)
    tags = torch.randint(0, TAGS, (BATCH, LENGTH), generator=generator)
    goes_on = torch.rand(TAGS, TAGS, generator=generator) < 0.4
    found = along(emissions, tags, lengths, chain, goes_on)
    for number, rows in enumerate(everything(emissions, lengths, chain)):
        chances = torch.softmax(torch.stack(list(rows.values())), 0).tolist()
        given, length = tags[number].tolist(), int(lengths[number])
        for start in range(length):
            for end in range(start + 1, length + 1):
                expected = sum(
                    chance
                    for row, chance in zip(rows, chances, strict=True)
                    if list(row[start:end]) == given[start:end]
                    and (end == length or not goes_on[given[end - 1], row[end]])
                )
                parts = found.opening[number, start], found.closing[number, end - 1]
                within = found.inside[number, end - 1] - found.inside[number, start]
                assert (sum(parts) + within).exp().item() == pytest.approx(expected, abs=1e-9)
