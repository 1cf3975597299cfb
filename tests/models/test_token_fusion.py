"""The fusion transformer: what a missing modality leaves, against sequences made by hand."""

import pytest
import torch

from mmdistill.models.fusion_head import mean_of_streams
from mmdistill.models.token_fusion import TokenFusion

CHANNELS = dict(rgb=6, flow=5, obj=4)
LENGTHS = dict(rgb=3, flow=2, obj=1)


def build(**changes) -> TokenFusion:
    arguments = dict(in_channels=CHANNELS, num_tokens=LENGTHS, embed_dims=16, dropout=0.0)
    return TokenFusion(**arguments | changes).eval()


def tokens_of(num_rows=4):
    return {n: torch.randn(num_rows, LENGTHS[n], c) for n, c in CHANNELS.items()}


PRESENT = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 0, 1], [0, 1, 0]], dtype=torch.bool)


def by_hand(fusion: TokenFusion, tokens: dict, present_M) -> torch.Tensor:
    """The streams of one row, from a sequence written out token by token."""
    sequence, owners = [fusion.class_token[0]], [0]
    for m, name in enumerate(CHANNELS):
        for position in range(LENGTHS[name]):
            x = fusion.position[name][position]
            if name in fusion.modality_token:
                x = x + fusion.modality_token[name][0]
            if present_M[m]:
                x = x + fusion.embedding[name](tokens[name][0, position])
            elif fusion.absent == 'skip':
                continue
            sequence.append(x)
            owners.append(m + 1)
    out = fusion.transformer(fusion.norm(torch.stack(sequence)[None]))[0]
    owners = torch.tensor(owners)
    return {s: out[owners == s].mean(0) for s in set(owners.tolist())}


@pytest.mark.parametrize('absent', ['token', 'skip'])
def test_rows_are_those_of_sequences_written_by_hand(absent):
    fusion, tokens = build(absent=absent), tokens_of()
    streams = fusion(tokens, PRESENT)
    assert streams.shape == (4, 4, 16)
    for row in range(4):
        one = {name: x[row : row + 1] for name, x in tokens.items()}
        for stream, expected in by_hand(fusion, one, PRESENT[row].tolist()).items():
            torch.testing.assert_close(streams[row, stream], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize('absent', ['token', 'skip'])
def test_what_stands_in_a_missing_clip_does_not_matter(absent):
    fusion, tokens = build(absent=absent), tokens_of()
    before = fusion(tokens, PRESENT)
    for m, name in enumerate(CHANNELS):
        tokens[name] = tokens[name].masked_fill(~PRESENT[:, m, None, None], torch.nan)
    after = fusion(tokens, PRESENT)
    counted = torch.cat([torch.ones(4, 1, dtype=torch.bool), PRESENT], dim=1)
    torch.testing.assert_close(before[counted], after[counted])


def test_a_plain_network_knows_nothing_of_missing_modalities():
    fusion, tokens = build(absent='zero', modality_tokens=False), tokens_of()
    every = torch.ones_like(PRESENT)
    torch.testing.assert_close(fusion(tokens, PRESENT), fusion(tokens, every))
    assert not list(fusion.modality_token.parameters())


def test_every_token_is_learned_from():
    fusion = build().train()
    fusion(tokens_of(), PRESENT).square().sum().backward()
    assert [name for name, p in fusion.named_parameters() if p.grad is None] == []


def test_mean_of_streams_by_hand():
    logits = torch.tensor([[[1.0, 2], [3, 6], [100, 100]], [[1, 1], [5, 5], [9, 9]]])
    counted = torch.tensor([[True, True, False], [True, True, True]])
    expected = torch.tensor([[2.0, 4], [5, 5]])
    torch.testing.assert_close(mean_of_streams(logits, counted), expected)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(absent='none'), r"absent is 'none'; expected one of"),
        (dict(num_tokens=dict(rgb=1)), r'num_tokens for \[.rgb.\]; give both'),
        (dict(num_tokens=0), 'num_tokens of rgb must be a whole number'),
        (dict(dropout=2), 'dropout must be'),
    ],
)
def test_bad_arguments(changes, message):
    with pytest.raises(ValueError, match=message):
        build(**changes)


def test_tokens_of_another_width():
    tokens = tokens_of() | dict(flow=torch.randn(4, 2, 7))
    with pytest.raises(
        ValueError, match=r"'flow' gives 2 tokens of width 7.*in_channels of flow to 7"
    ):
        build()(tokens, PRESENT)
