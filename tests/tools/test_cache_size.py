"""tools/analysis/cache_size.py: what it says is what the format's arithmetic says."""

import pytest


@pytest.fixture(scope='module')
def tool(load_tool):
    return load_tool('analysis/cache_size.py')


@pytest.mark.parametrize(
    ('top_k', 'numbers'), [(None, 2 * (97 + 300)), (20, 2 * (20 * (2 + 4) + 2)), (97, 2 * 97 + 584)]
)
def test_the_size_is_that_of_the_numbers_that_are_stored(tool, top_k, numbers):
    header = 1  # of a whole shard, by clip
    size = tool.bytes_per_clip([97, 300], 3, top_k)
    assert size == pytest.approx(3 * (numbers + 1), abs=header)


def test_it_says_the_total(tool, capsys):
    tool.main(['--classes', '174', '--clips', '168913', '--views', '5', '--experts', '2'])
    said = capsys.readouterr().out
    assert said.startswith('2 experts, 174 classes: 0.69') and '168,913 clips in 5 views' in said
    with pytest.raises(SystemExit):
        tool.main(['--classes', '174', '--views', '0'])
