"""Publishing: the bare recognizer, all that it needs, and how it was taught."""

import pytest
import torch
from mmengine.config import Config

from mmdistill.checkpoints import CheckpointError
from mmdistill.config_tools import load_config
from mmdistill.deploy import publish_model, read_published
from mmdistill.deploy.card import model_card
from mmdistill.deploy.publishing import bare_recognizer, taught_by, without_pretrained
from mmdistill.deploy.stock import stock_config
from mmdistill.registry import MODELS

from .conftest import CLASSES, CONFIG, ROOT, TEMPERATURES

DEMO = ROOT / 'projects/demo/configs'


def test_the_student_leaves_its_teacher_behind(published, checkpoint):
    described, weights = read_published(published)
    saved = torch.load(checkpoint, weights_only=True)['state_dict']
    assert weights.keys() == saved.keys()
    assert all(torch.equal(weights[name], saved[name]) for name in saved)
    stock = MODELS.build(described.recognizer)
    stock.load_state_dict(weights, strict=True)
    assert described.classes == CLASSES and described.temperatures == TEMPERATURES
    assert described.clip['sample']['clip_len'] == 8
    assert described.taught['experts'] == dict(rgb='rgb', flow='flow', obj='obj')
    assert described.taught['losses']['soft_target']['loss_weight'] == 0.9
    assert described.metrics['num_samples'] == 8 and described.licence == 'CC0'
    assert described.versions['torch'] == torch.__version__


def test_a_plain_recognizer_is_published_alike(checkpoint):
    described, weights = publish_model(DEMO / 'rgb.py', checkpoint)
    assert described.taught == {} and described.classes == CLASSES
    assert weights.keys() == torch.load(checkpoint, weights_only=True)['state_dict'].keys()


def test_given_temperatures_come_first(checkpoint):
    described, _ = publish_model(CONFIG, checkpoint, dict(verb=2.0, noun=3.0))
    assert described.temperatures == dict(verb=2.0, noun=3.0)
    with pytest.raises(ValueError, match='noun'):
        publish_model(CONFIG, checkpoint, dict(verb=2.0))


def test_names_may_be_missing_but_not_wrong(checkpoint, tmp_path):
    content = torch.load(checkpoint, weights_only=True)
    for meta, names in (({}, [str(i) for i in range(8)]), (dict(classes=dict(verb=['a'])), None)):
        torch.save(dict(content, meta=dict(dataset_meta=meta)), tmp_path / 'other.pth')
        if names:
            assert publish_model(CONFIG, tmp_path / 'other.pth')[0].classes['noun'] == names
            continue
        with pytest.raises(ValueError, match="1 classes of 'verb', the model has 8"):
            publish_model(CONFIG, tmp_path / 'other.pth')


def test_what_cannot_be_published(checkpoint):
    with pytest.raises(ValueError, match='publish the student that it taught'):
        publish_model(DEMO / 'teacher.py', checkpoint)
    with pytest.raises(CheckpointError, match='does not fit the recognizer of .*swin'):
        publish_model(ROOT / 'configs/unimodal/swin_ek100_rgb.py', checkpoint)
    option = {'test_dataloader.dataset.pipeline.load.inputs': 'flow'}
    with pytest.raises(ValueError, match="reads 'flow' at test; only one RGBModality"):
        publish_model(CONFIG, checkpoint, options=option)


def test_nothing_is_fetched():
    cfg = dict(
        backbone=dict(pretrained='https://x', pretrained2d=True, depth=18, sizes=(1, dict(a=2))),
        init_cfg=dict(type='Pretrained', checkpoint='x'),
        head=dict(init_cfg=dict(type='Normal')),
    )
    assert without_pretrained(cfg) == dict(
        backbone=dict(pretrained=None, pretrained2d=False, depth=18, sizes=(1, dict(a=2))),
        head=dict(init_cfg=dict(type='Normal')),
    )


def test_the_card_says_what_it_is(published):
    described, _ = read_published(published)
    card = model_card(described, 'student.safetensors')
    assert "mmdistill.load_model('student.safetensors')" in card
    assert 'verb: 8 classes (verb 0, verb 1' in card
    assert '| action | 25.00 | – | – | – |' in card and '8 test clips' in card
    assert 'experts: rgb (rgb), flow (flow), obj (obj)' in card
    assert 'CC0' in card and described.weights_sha256 in card


def test_mmaction2_gets_a_config_of_its_own(published, tmp_path):
    described, weights = read_published(published)
    path = tmp_path / 'config.py'
    path.write_text(Config(stock_config(described), format_python_code=False).pretty_text)
    cfg = Config.fromfile(path)
    MODELS.build(cfg.model).load_state_dict(weights, strict=True)
    assert cfg.custom_imports.imports == ['mmdistill']  # for the head per task
    plain = load_config(ROOT / 'configs/unimodal/swin_sthv2_rgb.py').model.to_dict()
    assert 'custom_imports' not in stock_config(
        type(described)(plain, described.clip, dict(action=['a']), dict(action=1.0))
    )


def test_models_of_several_modalities_are_not_for_a_video_file(checkpoint):
    for name in ('karmma', 'karmma_dropout'):
        with pytest.raises(ValueError, match='reads several modalities.*a student of RGB'):
            publish_model(DEMO / f'{name}.py', checkpoint)


def test_what_taught_itself_says_so():
    cfg = load_config(ROOT / 'configs/distill/ema_ek100_rgb.py')
    found = taught_by(cfg)
    assert found['experts'] == dict(ema='the moving average of the student')
    assert found['losses']['soft_target']['loss_weight']['end'] == 0.9


def test_an_omnivorous_network_is_published_as_the_recognizer_inside():
    cfg = load_config(ROOT / 'configs/unimodal/omnivorous_ek100_rgbflow.py')
    assert bare_recognizer(cfg)['type'] == 'Recognizer3D'
