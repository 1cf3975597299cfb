"""The whole page from fixture files: self-contained, complete, escaped."""

import re
from html.parser import HTMLParser

import numpy as np

from mmdistill.evaluation.html import code, image_uri
from mmdistill.evaluation.page import weight_bars

from .conftest import LONG


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


def test_the_page_loads_nothing_from_elsewhere(page):
    tags = Tags()
    tags.feed(page[1])
    assert tags.open == []
    assert tags.sources and all(source.startswith('data:image/') for source in tags.sources)
    assert not re.search(r'url\(|@import|https?://', re.sub(r'base64,[^"]+', '', page[1]))


SECTIONS = (
    'Results',
    'Can the confidence be trusted?',
    'Views',
    'Cost of an answer',
    'What the teacher listens to',
    'Training',
    'Sample clips',
    'Setting',
    'Not in this report',
)


def test_the_page_shows_every_row_and_section(page):
    report, html = page
    for row in report['rows']:
        assert f'{100 * row["acc/action/top1"]:.1f}' in html
    assert '<h1>A &lt;report&gt;</h1>' in html and 'RGB &lt;base&gt;' in html
    assert re.findall('<h2>([^<]*)</h2>', html) == list(SECTIONS)
    # Three tasks of four tests, two of which were scaled.
    assert html.count('alt="reliability diagram') == 3 * (2 + 2 * 2)
    assert html.count('alt="accuracy over cost"') == html.count('alt="over the number') == 2
    assert len(re.findall('<h3>(verb|noun|action)</h3>', html)) == 3 + 1


def test_clips_show_the_five_best_answers_of_student_baseline_and_experts(page):
    html = page[1]
    clips = html.split('<article class="clip">')[1:]
    assert len(clips) >= 4
    for clip in clips:
        titles = re.findall('<h4>([^<]*)</h4>', clip)
        assert titles == ['RGB &lt;base&gt;', 'small', 'flow', LONG]
        # Of three verbs and four nouns all are shown; one of each is right.
        assert clip.count('class="bar"') == 4 * (3 + 4)
        assert clip.count('<span class="right">') == 4 * 2
        assert clip.count('alt="flow of') == clip.count('alt="rgb of') == 1
    assert 'only small is right' in html


def test_weights_that_are_the_same_stand_together():
    weights = {'verb': {'rgb': 0.25, 'flow': 0.75}}
    rows = [
        {'title': 'a', 'teacher_weights': weights},
        {'title': 'b', 'teacher_weights': {'verb': {'rgb': 0.5, 'flow': 0.5}}},
        {'title': 'c', 'teacher_weights': weights},
        {'title': 'd'},
    ]
    assert [title for title, _ in weight_bars(rows)] == ['a, c', 'b']


def test_commands_in_sentences_are_marked_and_escaped():
    assert code('run `a <b>`.') == 'run <code>a &lt;b&gt;</code>.'


def test_pictures_survive_encoding():
    picture = np.zeros((8, 8, 3), np.uint8)
    picture[..., 0] = 255
    assert image_uri(picture).startswith('data:image/jpeg;base64,')
    assert image_uri(np.zeros((8, 8, 4), np.uint8)).startswith('data:image/png;base64,')
