"""Whether an image file is whole, without decoding it."""

from pathlib import Path

# How files begin and end, by their suffix; encoders may pad the end.
JPEG = (b'\xff\xd8', b'\xff\xd9')
WHOLE = {'.jpg': JPEG, '.jpeg': JPEG, '.png': (b'\x89PNG', b'IEND\xaeB`\x82')}
TAIL = 64


def image_problem(path: Path) -> str | None:
    """What is wrong with an image: 'is missing', 'is empty', …; None if it looks whole.

    OpenCV reads a JPEG that was cut short without an error and fills it with grey. A file that
    neither begins nor ends as its kind does is found here; other kinds are only looked for.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return 'is missing'
    if not size:
        return 'is empty'
    if path.suffix.lower() not in WHOLE:
        return None
    head, end = WHOLE[path.suffix.lower()]
    with path.open('rb') as file:
        begins = file.read(len(head)) == head
        file.seek(max(0, size - TAIL))
        ends = file.read().rstrip(b'\0').endswith(end)
    if not begins:
        return f'is no {path.suffix.lower()[1:]} image'
    return None if ends else f'is cut short after {size} bytes'
