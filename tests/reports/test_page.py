"""The whole page from fixture files: self-contained, complete, escaped."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from mmdistill.reports import Cost, RowSource, build_row, render_html
from mmdistill.reports.html import image_uri
from mmdistill.reports.page import headline_cards, page_pictures

from .conftest import CLASSES, make_table, write_scalars, write_test_files
from .test_sample_clips import write_clip

NAMES = {
    'rgb_baseline': ('baseline', 0.5),
    'obj_expert': ('expert', 2.0),
    'teacher_uniform': ('teacher', 2.5),
    'teacher': ('teacher', 3.0),
    'student': ('student', 1.5),
}


class Dataset:
    """Every clip of the table shows the same frames."""

    metainfo = {'classes': CLASSES}

    def __init__(self, record, ids):
        self.record, self.ids = record, ids

    def __len__(self):
        return len(self.ids)

    def load_record(self, index):
        return {**self.record, 'sample_id': self.ids[index]}


@pytest.fixture(scope='module')
def filled(tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp('demo')
    tables, rows = {}, []
    for seed, (name, (role, skill)) in enumerate(NAMES.items()):
        tables[name] = make_table(skill, seed)
        folder = tmp_path / name
        write_test_files(folder, tables[name])
        source = RowSource(
            name, f'<{name}>', role, folder / 'metrics.json', folder / 'scores.npz', folder / 'c.py'
        )
        rows.append(build_row(source, Cost(10**6, 10**9, 5.0)))
    report = {
        'title': 'A demo',
        'subtitle': 'of something',
        'tasks': ['verb', 'noun', 'action'],
        'splits': [('unseen', 'verb')],
        'rows': rows,
        'has_flops_note': False,
        'detector': {'ap50': 0.9, 'ap': 0.5, 'epoch': 3},
        'teacher_weights': {'verb': {'rgb': 0.25, 'obj': 0.75}},
        'setting': {'machine': 'here'},
        'stages': [{'name': 'rgb', 'seconds': 1.0, 'peak_bytes': 10**9}],
    }
    report['cards'] = headline_cards(report)
    write_scalars(tmp_path / 'train', '1', [{'loss': 2.0, 'step': 1}, {'loss': 1.0, 'step': 2}])
    dataset = Dataset(write_clip(tmp_path / 'clip'), tables['student'].sample_ids)
    pictures = page_pictures(report, tables, {'student': tmp_path / 'train'}, dataset)
    return report, pictures


class Tags(HTMLParser):
    """Collects attributes that make a browser load something, and checks the nesting."""

    VOID = {'meta', 'img', 'br', 'link'}

    def __init__(self):
        super().__init__()
        self.open, self.sources = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)
        self.sources += [value for key, value in attrs if key in ('src', 'href', 'srcset')]
        assert tag not in ('script', 'link', 'iframe')

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_loads_nothing_from_elsewhere(filled):
    page = render_html(*filled)
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert tags.sources and all(source.startswith('data:image/') for source in tags.sources)
    assert not re.search(r'url\(|@import|https?://', re.sub(r'base64,[^"]+', '', page))


def test_the_page_shows_every_row_and_section(filled):
    report, pictures = filled
    page = render_html(report, pictures)
    for row in report['rows']:
        assert f'&lt;{row["name"]}&gt;' in page
        assert f'{100 * row["acc/action/top1"]:.1f}' in page
    for heading in ('Results', 'confidence', 'Training', 'Sample clips', 'Setting'):
        assert re.search(f'<h2>[^<]*{heading}', page)
    assert len(pictures['clips']) >= 4
    assert page.count('reliability diagram') == 3 * 4


def test_headline_says_the_difference_in_points(filled):
    report, _ = filled
    rows = {row['name']: row for row in report['rows']}
    gain = rows['student']['acc/action/top1'] - rows['rgb_baseline']['acc/action/top1']
    assert report['cards'][0]['value'] == f'{100 * gain:+.1f}'.replace('-', '−')
    assert report['cards'][-1]['value'] == '90.0'


def test_right_answers_are_marked(filled):
    report, pictures = filled
    clip = next(clip for clip in pictures['clips'] if clip['outcome'].startswith('only the stud'))
    student = next(a for a in clip['answers'] if a['title'] == '<student>')
    # Two best classes of each task: the first of each is the answer, and it is right.
    assert [line['right'] for line in student['lines']] == [True, False, True, False]


def test_pictures_survive_encoding():
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[..., 0] = 255
    assert image_uri(picture).startswith('data:image/jpeg;base64,')
    assert image_uri(np.zeros((8, 8, 4), np.uint8)).startswith('data:image/png;base64,')
