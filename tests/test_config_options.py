"""--cfg-options: every key has its place, every value can be read, None leaves hooks out."""

import argparse

import pytest
from mmengine.config import Config

from mmdistill.config_options import KeyValues, drop_unset_hooks, merge_options


def make_config():
    return Config(
        dict(
            a=dict(b=1, text='x', none=None),
            numbers=[1, 5],
            steps=[dict(type='A')],
            custom_hooks=[],
            default_hooks=dict(timer=dict(type='T'), visual_report=dict(type='V')),
        )
    )


def merged(options):
    cfg = make_config()
    merge_options(cfg, options)
    drop_unset_hooks(cfg)
    return cfg


def test_an_index_adds_or_replaces_an_element():
    assert merged({'custom_hooks.0.type': 'H'}).custom_hooks == [dict(type='H')]
    assert merged({'other.0.type': 'B', 'other.1.type': 'C'}).other == [
        dict(type='B'),
        dict(type='C'),
    ]
    assert merged({'numbers.1': 3, 'numbers.2': 7}).numbers == [1, 3, 7]
    assert merged({'steps.0.n': 2}).steps == [dict(type='A', n=2)]
    assert merged({'a._delete_': True, 'a.new.deep': 2}).a == dict(new=dict(deep=2))


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        ({'steps.2.type': 'B'}, 'Index 2 exceeds the length of list steps; it has 1 elements'),
        ({'steps.first.type': 'B'}, "steps is a list of 1; write an index for 'first'"),
        ({'a.text.y': 1}, "a.text.y: a.text is 'x', which has no entries"),
        ({'a.none.y': 1}, 'a.none is None, which has no entries'),
        ({'a': 1, 'a.b': 2}, 'gives both a and a.b'),
        ({'default_hooks.visual_reprot': None}, 'no such hook, only checkpoint, .*visual_report'),
    ],
)
def test_a_key_without_a_place_is_named(options, expected):
    with pytest.raises((KeyError, TypeError, ValueError), match=expected):
        merged(options)


def test_none_leaves_a_hook_out():
    cfg = merged({'default_hooks.visual_report': None, 'default_hooks.logger': None})
    assert cfg.default_hooks == dict(timer=dict(type='T'), logger=None)  # which MMEngine drops
    assert merged({'default_hooks': None}).default_hooks is None
    assert merged({'custom_hooks.0': None}).custom_hooks == []


@pytest.fixture
def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=KeyValues)
    return lambda *words: parser.parse_args(['--cfg-options', *words]).cfg_options


def test_values_are_read_as_mmengine_reads_them(parse):
    assert parse('a.b=1e-3', 'c=[(1,2),x]', 'path={video_id}.mp4', 'e=', 'f=a=b') == {
        'a.b': 0.001,
        'c': [(1, 2), 'x'],
        'path': '{video_id}.mp4',
        'e': '',
        'f': 'a=b',
    }


@pytest.mark.parametrize(
    ('word', 'expected'),
    [
        ('max_epochs', "'max_epochs' is no key=value"),
        ('=5', 'a key with an empty part'),
        ('a..b=5', 'a key with an empty part'),
        ('a=[1,2', 'a bracket that is not closed'),
        ('a=(1', 'a bracket that is not closed'),
        ('a=dict(type=X)', 'is a dict; give its entries one by one, such as a.type=NAME'),
    ],
)
def test_what_is_no_key_and_value_is_an_error_of_the_command_line(parse, capsys, word, expected):
    with pytest.raises(SystemExit) as caught:
        parse(word)
    assert caught.value.code == 2
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize('path', ['my runs/best [1].pth', 'a b', "'a b'"])
def test_a_path_keeps_its_spaces(path):
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=KeyValues)
    found = parser.parse_args(['--cfg-options', f'load_from={path}', 'sizes=(1, 2)', 'lr=1e-3'])
    wanted = dict(load_from=path.strip("'"), sizes=(1, 2), lr=1e-3)
    assert found.cfg_options == wanted
