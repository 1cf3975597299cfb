"""The page in a real browser: every picture is drawn, nothing is wider than a phone."""

import json
import re
import shutil
import subprocess

import pytest

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome')
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
# What only a browser knows, sent to the page around it. A window has at least 500 pixels, a frame
# can be as narrow as a phone.
PROBE = """<script>addEventListener('load', () => {
  const images = [...document.images], width = document.documentElement.clientWidth;
  const inside = element => element.closest('.scroll, .strips');
  const wide = [...document.body.querySelectorAll('*')].filter(element =>
    !inside(element) && element.getBoundingClientRect().right > width + 1);
  parent.postMessage(JSON.stringify({
    width,
    images: images.length,
    broken: images.filter(image => !image.naturalWidth || !image.clientWidth).length,
    overflow: document.documentElement.scrollWidth - width,
    wide: wide.map(element => element.className || element.tagName),
  }), '*');
});</script></body>"""
FRAME = """<body style="margin: 0"><script>
addEventListener('message', event => document.body.dataset.probe = event.data);
</script><iframe src="report.html" style="border: 0; width: {width}px; height: 800px"></iframe>"""

pytestmark = pytest.mark.skipif(not CHROMIUM, reason='needs Chromium')


@pytest.mark.parametrize('width', [1200, 390])
def test_the_page_in_chromium(page, tmp_path, width):
    html = page[1]
    (tmp_path / 'report.html').write_text(html.replace('</body>', PROBE), encoding='utf-8')
    frame = tmp_path / 'frame.html'
    frame.write_text(FRAME.format(width=width))
    command = [CHROMIUM, '--headless', '--no-sandbox', '--disable-gpu', '--enable-logging=stderr']
    result = subprocess.run(
        [*command, '--window-size=1200,900', '--dump-dom', frame.as_uri()],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert 'CONSOLE' not in result.stderr
    probe = re.search(r'data-probe="([^"]*)"', result.stdout).group(1)
    found = json.loads(probe.replace('&quot;', '"'))
    assert width - 20 < found['width'] <= width  # a scroll bar takes some
    assert found['images'] == html.count('<img') > 10
    assert found['broken'] == 0
    assert found['overflow'] <= 0 and found['wide'] == []
