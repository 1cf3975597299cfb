"""The page in a real browser: every picture is drawn, nothing is wider than a phone."""

import json
import re
import shutil
import subprocess

import pytest

from mmdistill.reports import render_html

from .test_page import filled  # noqa: F401  (a fixture)

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome')
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
# What only a browser knows, left in the document for --dump-dom.
PROBE = """<script>addEventListener('load', () => {
  const images = [...document.images];
  document.body.dataset.probe = JSON.stringify({
    images: images.length,
    broken: images.filter(image => !image.naturalWidth).length,
    overflow: document.documentElement.scrollWidth - innerWidth,
  });
});</script></body>"""

pytestmark = pytest.mark.skipif(not CHROMIUM, reason='needs Chromium')


@pytest.mark.parametrize('width', [1200, 500])
def test_the_page_in_chromium(filled, tmp_path, width):  # noqa: F811
    html = render_html(*filled)
    page = tmp_path / 'report.html'
    page.write_text(html.replace('</body>', PROBE), encoding='utf-8')
    command = [CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu', '--enable-logging=stderr']
    size = f'--window-size={width},900'
    result = subprocess.run(
        [*command, size, '--dump-dom', page.as_uri()], capture_output=True, text=True, timeout=300
    )
    assert 'CONSOLE' not in result.stderr
    probe = re.search(r'data-probe="([^"]*)"', result.stdout).group(1)
    found = json.loads(probe.replace('&quot;', '"'))
    assert found['images'] == html.count('<img') > 10
    assert found['broken'] == 0
    assert found['overflow'] <= 0
