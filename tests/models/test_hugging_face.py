"""Video models of transformers: tiny ones, built here, against what transformers computes."""

import json

import numpy as np
import pytest
import torch

transformers = pytest.importorskip('transformers')

from mmdistill.models.extractor import Extractor  # noqa: E402
from mmdistill.models.hugging_face import HuggingFaceVideo, class_list, matched  # noqa: E402
from mmdistill.registry import MODELS  # noqa: E402

NAMES = ('Pushing [something]', 'Lifting something up', 'Dropping')
LABELS = dict(id2label=dict(enumerate(NAMES)), label2id={n: k for k, n in enumerate(NAMES)})
SIZES = dict(
    image_size=32,
    patch_size=16,
    num_frames=4,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
)
JEPA = dict(
    crop_size=32,
    patch_size=16,
    frames_per_clip=4,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    pred_hidden_size=16,
    pred_num_attention_heads=2,
    pred_num_hidden_layers=1,
    num_pooler_layers=1,
)
ARCHITECTURES = {
    'videomae': ('VideoMAEConfig', 'VideoMAEForVideoClassification', SIZES),
    'timesformer': ('TimesformerConfig', 'TimesformerForVideoClassification', SIZES),
    'vivit': ('VivitConfig', 'VivitForVideoClassification', dict(SIZES, tubelet_size=[2, 16, 16])),
    'vjepa2': ('VJEPA2Config', 'VJEPA2ForVideoClassification', JEPA),
}
PROCESSOR = dict(
    crop_size=dict(height=32, width=32),
    do_center_crop=True,
    do_rescale=True,
    rescale_factor=1 / 255,
    image_mean=[0.4, 0.5, 0.6],
    image_std=[0.2, 0.25, 0.3],
    size=dict(shortest_edge=36),
)


@pytest.fixture(scope='module')
def models(tmp_path_factory):
    """Architecture to a folder with a classifier of random weights."""
    root = tmp_path_factory.mktemp('hub')
    transformers.logging.set_verbosity_error()
    for name, (config, model, sizes) in ARCHITECTURES.items():
        torch.manual_seed(0)
        built = getattr(transformers, model)(getattr(transformers, config)(**sizes, **LABELS))
        built.save_pretrained(root / name)
        kind = 'video_preprocessor_config' if name == 'vjepa2' else 'preprocessor_config'
        (root / name / f'{kind}.json').write_text(json.dumps(PROCESSOR))
    return root


def recognizer(folder, cls_head, **backbone):
    return dict(
        type='Recognizer3D',
        backbone=dict(type='mmdistill.HuggingFaceVideo', model=str(folder), **backbone),
        cls_head=cls_head,
        data_preprocessor=dict(type='mmdistill.HuggingFacePreprocessor', model=str(folder)),
    )


def classifier(folder, classes):
    head = dict(type='mmdistill.NamedClassesHead', model=str(folder), classes=classes)
    return recognizer(folder, head, classifier=True, frozen=True)


def batch_of(make_batch, side=32, frames=4):
    batch = make_batch(modalities=('rgb',), classes=3)
    generator = torch.Generator().manual_seed(5)
    batch['inputs']['rgb'] = [
        torch.randint(0, 256, (1, 3, frames, side, side), generator=generator).byte()
        for _ in range(3)
    ]
    return batch


@pytest.mark.parametrize('name', ARCHITECTURES)
def test_a_finished_classifier_is_an_expert_in_our_order_of_classes(models, make_batch, name):
    ours = ['dropping', 'Pushing something', 'lifting something up']
    expert = dict(model=classifier(models / name, ours), checkpoint=None, modality='rgb')
    teacher = MODELS.build(
        dict(
            type='mmdistill.MultimodalTeacher',
            experts=dict(rgb=expert),
            weighting=dict(type='mmdistill.UniformWeighting'),
        )
    )
    batch = batch_of(make_batch)
    logits = teacher.teach(batch).logits['action']
    frames = torch.stack(batch['inputs']['rgb'])[:, 0].float() / 255
    mean, std = (
        torch.tensor(PROCESSOR[k])[:, None, None, None] for k in ('image_mean', 'image_std')
    )
    theirs = getattr(transformers, ARCHITECTURES[name][1]).from_pretrained(models / name).eval()
    inputs = {theirs.main_input_name: ((frames - mean) / std).transpose(1, 2)}
    with torch.no_grad():
        expected = theirs(**inputs).logits[:, [2, 0, 1]]
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize('name', ARCHITECTURES)
@pytest.mark.parametrize('frozen', [False, True])
def test_a_backbone_trains_a_head(models, make_batch, name, frozen):
    head = dict(type='I3DHead', in_channels=16, num_classes=3, average_clips='score')
    model = MODELS.build(recognizer(models / name, head, frozen=frozen))
    before = {k: v.clone() for k, v in model.backbone.state_dict().items()}
    model.init_weights()
    assert all(torch.equal(v, before[k]) for k, v in model.backbone.state_dict().items())
    batch = batch_of(make_batch)
    batch['inputs'] = batch['inputs']['rgb']
    model.train()
    loss = model(**model.data_preprocessor(batch, True), mode='loss')['loss_cls']
    loss.backward()
    assert (model.backbone.network.training, frozen) in ((False, True), (True, False))
    grads = [p.grad is not None for p in model.backbone.parameters()]
    assert not any(grads) if frozen else any(grads)
    assert model.cls_head.fc_cls.weight.grad is not None


def test_its_own_processor_decides_the_size(models, make_batch):
    model = MODELS.build(classifier(models / 'videomae', list(NAMES)))
    data = dict(inputs=batch_of(make_batch, side=48)['inputs']['rgb'], data_samples=None)
    inputs = model.data_preprocessor(data, False)['inputs']
    assert inputs.shape == (3, 1, 3, 4, 32, 32)
    even = dict(inputs=[torch.full((1, 3, 4, 50, 40), 102, dtype=torch.uint8)], data_samples=None)
    found = model.data_preprocessor(even, False)['inputs']
    expected = (102 / 255 - np.array(PROCESSOR['image_mean'])) / np.array(PROCESSOR['image_std'])
    np.testing.assert_allclose(found[0, 0, :, 0, 0, 0], expected, rtol=1e-4)


def test_it_is_an_extractor_of_a_fusion_model(models):
    model = recognizer(models / 'videomae', dict(type='I3DHead', in_channels=16, num_classes=3))
    extractor = Extractor('rgb', 4, model=model, frozen=True)
    assert extractor(torch.rand(2, 1, 3, 4, 32, 32)).shape == (2, 4, 16)


def test_another_number_of_frames_is_one_line(models):
    backbone = HuggingFaceVideo(str(models / 'videomae'))
    with pytest.raises(ValueError, match=r'reads clips of 4 frames, these have 8: set clip_len=4'):
        backbone(torch.rand(1, 3, 8, 32, 32))


def test_a_model_that_is_not_there_says_where_it_looked(monkeypatch):
    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_OFFLINE', True)
    with pytest.raises(
        FileNotFoundError, match=r"no model 'nobody/none'.*and not in /.*hf download"
    ):
        HuggingFaceVideo('nobody/none')


def test_names_that_do_not_match_are_listed(models):
    with pytest.raises(ValueError, match=r"1 of our 2 classes .*'jump'; theirs .*'Dropping'"):
        MODELS.build(classifier(models / 'videomae', ['jump', 'pushing something']))
    with pytest.raises(ValueError, match='calls two classes'):
        matched(['a'], ['a', 'A!'], 'x')


def test_class_names_from_files(tmp_path):
    (tmp_path / 'a.json').write_text('{"Lifting": "1", "Pushing": "0"}')
    (tmp_path / 'a.csv').write_text('id,name\n1,Lifting\n0,Pushing\n')
    assert class_list(str(tmp_path / 'a.json')) == ['Pushing', 'Lifting']
    assert class_list(str(tmp_path / 'a.csv')) == ['Pushing', 'Lifting']


def test_weights_that_would_run_code_are_refused(models, tmp_path):
    import shutil

    shutil.copytree(models / 'videomae', tmp_path / 'm')
    (tmp_path / 'm/model.safetensors').unlink()
    torch.save({}, tmp_path / 'm/pytorch_model.bin')
    with pytest.raises(FileNotFoundError, match='no model'):
        HuggingFaceVideo(str(tmp_path / 'm'))
