"""Publishing, predicting and exporting: models that are none, videos that cannot be read."""

import json
from pathlib import Path

from bad_row import Row, truncate
from safetensors.torch import load_file, save_file

PUBLISH, PREDICT, EXPORT = (f'tools/{name}.py' for name in ('publish', 'predict', 'export'))
TOY = 'expert.py expert.pth --out new.safetensors'


def publish(here: Path) -> None:
    """A model of the toys' expert, `model.safetensors`."""
    from mmdistill.deploy import publish_model, write_published

    write_published(here / 'model.safetensors', *publish_model('expert.py', 'expert.pth'))


def then(change):
    """Publish, then spoil something."""

    def prepare(here: Path) -> None:
        publish(here)
        change(here)

    return prepare


def rename(here: Path) -> None:
    (here / 'model.safetensors').write_bytes((here / 'expert.pth').read_bytes())


def undescribe(here: Path) -> None:
    save_file(load_file(here / 'model.safetensors'), here / 'model.safetensors')


def newer(here: Path) -> None:
    weights = load_file(here / 'model.safetensors')
    text = json.dumps(dict(format=99))
    save_file(weights, here / 'model.safetensors', metadata=dict(mmdistill=text))


def predict(what: str, words: str, expected: str, change=lambda here: None, **options) -> Row:
    """With the published toy."""
    words = words if '--model' in words else f'{words} --model model.safetensors'
    return Row(PREDICT, what, words, expected, prepare=then(change), **options)


MODELS = [
    ('a model that is not there', lambda here: (here / 'model.safetensors').unlink(), 'no model m'),
    ('a pickle that is called a model', rename, r'model\.safetensors is no safetensors file'),
    ('weights without a description', undescribe, 'weights without a description'),
    ('a model of a newer format', newer, 'of format 99, but this mmdistill reads format 1'),
    (
        'a truncated model',
        lambda here: truncate(here / 'model.safetensors'),
        'is no safetensors file, or damaged',
    ),
]
ROWS = [predict(what, 'videos/P01_01.mp4', said, change) for what, change, said in MODELS]
ROWS += [
    Row(EXPORT, what, 'model.safetensors --out new.onnx', said, prepare=then(change))
    for what, change, said in MODELS
]
ROWS += [
    predict('no such video', 'gone.mp4', r"^error: Nothing matches 'gone\.mp4'"),
    predict('a folder without videos', 'frames', 'frames holds no video'),
    predict(
        'a truncated video among others',
        "'videos/*.mp4'",
        r'P01_02\.mp4',
        lambda here: truncate(here / 'videos/P01_02.mp4'),
        listed=True,
    ),
    predict(
        'a stream that is not there', 'http://127.0.0.1:9/a.ts', r'127\.0\.0\.1:9/a\.ts cannot'
    ),
    predict('a webcam that is not there', '9', r'^error: 9 cannot be read'),
    predict('a stream and a file', 'http://127.0.0.1:9/a.ts videos/P01_01.mp4', 'alone', code=2),
    predict('an unknown device', 'videos/P01_01.mp4 --device tpu', "device='tpu': expected"),
    predict('fp16 on a CPU', 'videos/P01_01.mp4 --device cpu --precision fp16', 'fp16 needs a GPU'),
    predict('a stride without a window', 'videos/P01_01.mp4 --stride 1', 'give --window', code=2),
    predict('a window of 0', 'videos/P01_01.mp4 --window 0', 'argument --window', code=2),
    predict('a window of nan', 'videos/P01_01.mp4 --window nan', 'argument --window', code=2),
    predict('no classes', 'videos/P01_01.mp4 --topk 0', 'argument --topk', code=2),
    predict(
        'JSON over a video',
        'videos/P01_01.mp4 --out-json videos/P01_01.mp4',
        'videos/P01_01.mp4',
    ),
    predict(
        'annotated videos over their sources',
        'videos/P01_01.mp4 --window 1 --out-video videos',
        'is one of the videos',
    ),
    predict('JSON on a full disk', 'videos/P01_01.mp4 --out-json /dev/full', '/dev/full'),
    Row(PREDICT, 'text for a graph', 'videos/P01_01.mp4 --model train.csv', 'train.csv is no saf'),
    Row(
        PREDICT,
        'text for an ONNX file',
        'videos/P01_01.mp4 --model text.onnx',
        'no ONNX file that can be run here',
        prepare=lambda here: (here / 'text.onnx').write_text('no'),
    ),
    Row(
        PUBLISH,
        'weights of somebody else in its place',
        TOY,
        'new.safetensors is there already, and mmdistill has not written it',
        prepare=lambda here: save_file({}, here / 'new.safetensors'),
    ),
    Row(
        PUBLISH,
        'notes in the place of the model card',
        TOY,
        r'new\.md is there already, and mmdistill has not written it',
        prepare=lambda here: (here / 'new.md').write_text('mine'),
    ),
    Row(
        PUBLISH,
        'a config in the folder for MMAction2',
        f'{TOY} --to-mmaction2 .',
        r'config\.py is there already',
        prepare=lambda here: (here / 'config.py').write_text('mine'),
    ),
    Row(
        EXPORT,
        'something else in its place',
        'model.safetensors --out new.onnx',
        'new.onnx is there already, and mmdistill has not written it',
        prepare=then(lambda here: (here / 'new.onnx').write_text('mine')),
    ),
    predict(
        'an annotated video where something is',
        'videos/P01_01.mp4 --out-video drawn',
        'drawn/P01_01.mp4 is there already',
        lambda here: ((here / 'drawn').mkdir(), (here / 'drawn/P01_01.mp4').write_text('mine')),
    ),
    Row(PUBLISH, 'no such checkpoint', 'expert.py gone.pth --out a.safetensors', 'gone.pth'),
    Row(PUBLISH, 'no such config', 'gone.py expert.pth --out a.safetensors', "no config 'gone.py'"),
    Row(PUBLISH, 'a name of another kind', 'expert.py expert.pth --out a.pth', 'must end with', 2),
    Row(
        PUBLISH,
        'the checkpoint of another model',
        f'{TOY} --cfg-options model.backbone.base_channels=4 model.cls_head.in_channels=32',
        r'expert\.pth does not fit the recognizer of expert\.py',
    ),
    Row(PUBLISH, 'metrics that are text', f'{TOY} --metrics train.csv', 'train.csv is not JSON'),
    Row(PUBLISH, 'a dump that is not there', f'{TOY} --holdout gone.npz', 'gone.npz'),
    Row(
        PUBLISH, 'temperatures that are none', f'{TOY} --temperatures metrics.json', 'temperatures'
    ),
    Row(
        PUBLISH,
        'out over the config',
        'expert.py expert.pth --out /proc/a.safetensors',
        '^error: /proc',
    ),
    Row(
        EXPORT,
        "somebody else's weights where those for OpenVINO go",
        'model.safetensors --out new.xml',
        r'new\.bin is there already, and mmdistill has not written it',
        prepare=then(lambda here: (here / 'new.bin').write_text('mine')),
    ),
    Row(
        EXPORT,
        'int8 of convolutions without videos',
        'model.safetensors --out new.onnx --precision int8',
        'give --calib with some dozens of training videos',
        prepare=publish,
    ),
    Row(
        EXPORT,
        'int8 for OpenVINO without videos',
        'model.safetensors --out new.xml --precision int8',
        'give --calib with some dozens of training videos',
        prepare=publish,
    ),
    Row(EXPORT, 'int8 of torch', 'm.safetensors --out n.pt2 --precision int8', 'for onnx and', 2),
    Row(EXPORT, 'videos for nothing', 'm.safetensors --out n.xml --calib a.mp4', '--precision', 2),
    Row(EXPORT, 'another ending', 'm.safetensors --out n.xml --format onnx', 'must end with', 2),
    Row(
        EXPORT,
        'a check on two configs',
        'model.safetensors --out new.onnx --check expert.py expert.py',
        'takes one CONFIG.py, or videos',
        prepare=publish,
    ),
    Row(
        PREDICT,
        'a program of somebody else',
        'videos/P01_01.mp4 --model odd.pt2',
        r'odd\.pt2 is no program that can be read without running code',
        prepare=lambda here: (here / 'odd.pt2').write_text('no'),
    ),
    Row(
        PREDICT,
        'OpenVINO without its weights',
        'videos/P01_01.mp4 --model odd.xml',
        r'There is no odd\.bin; expected the \.xml of',
        prepare=lambda here: (here / 'odd.xml').write_text('no'),
    ),
    Row(EXPORT, 'a name of another kind', 'model.safetensors --out a.pt', 'must end with .onnx', 2),
    Row(
        EXPORT,
        'a check on no video',
        'model.safetensors --out new.onnx --check gone.mp4',
        "Nothing matches 'gone.mp4'",
        prepare=publish,
    ),
]
