"""check_run: what does not fit between loaders and model is told before the first iteration."""

from types import SimpleNamespace

import pytest
from mmengine.dataset import ConcatDataset, DefaultSampler, InfiniteSampler, RepeatDataset
from torch.utils.data import DataLoader

from mmdistill.data_checks import check_loader, check_run
from mmdistill.datasets import MultimodalDataset
from mmdistill.registry import MODELS

TWO_TASKS = ['v0,0,4,0,0', 'v1,0,4,1,2', 'v2,0,4,1,1']


@pytest.fixture
def dataset(tmp_path):
    """A data set of these rows; labels of `action`, or of verb and noun."""

    def build(rows, **kwargs) -> MultimodalDataset:
        tasks = 'verb,noun' if rows[0].count(',') == 4 else 'action'
        header = f'video_id,start_frame,stop_frame,{tasks}'
        (tmp_path / 'ann.csv').write_text('\n'.join([header, *rows]) + '\n')
        return MultimodalDataset(str(tmp_path / 'ann.csv'), serialize_data=False, **kwargs)

    return build


@pytest.fixture
def model():
    """A recognizer of 3 actions, or with a head per task; or a student of it."""

    def build(classes: int | dict = 3, student: bool = False):
        head = dict(type='I3DHead', in_channels=4)
        if isinstance(classes, dict):
            heads = {task: dict(head, num_classes=number) for task, number in classes.items()}
            head = dict(type='mmdistill.MultitaskHead', heads=heads)
        else:
            head['num_classes'] = classes
        cfg = dict(
            type='Recognizer3D',
            backbone=dict(type='C3D'),
            cls_head=head,
            data_preprocessor=dict(type='ActionDataPreprocessor'),
        )
        if student:
            losses = dict(soft_target=dict(type='mmdistill.SoftTargetLoss'))
            cfg = dict(type='mmdistill.StudentRecognizer', recognizer=cfg, losses=losses)
        return MODELS.build(cfg)

    return build


def loader(dataset, **kwargs) -> DataLoader:
    return DataLoader(dataset, sampler=kwargs.pop('sampler', DefaultSampler)(dataset), **kwargs)


def run(model, train, val=None):
    """What a runner has before it starts."""
    loops = [part and SimpleNamespace(dataloader=loader(part)) for part in (train, val)]
    return SimpleNamespace(model=model, train_loop=loops[0], val_loop=loops[1], test_loop=loops[1])


def test_labels_that_fit(dataset, model):
    check_run(run(model(), dataset(['v,0,4,0', 'w,0,4,2'])))
    check_run(run(model(dict(verb=2, noun=3)), dataset(TWO_TASKS), dataset(TWO_TASKS)))
    check_run(run(model(dict(noun=3), student=True), dataset(TWO_TASKS)))
    check_run(run(model(student=True), dataset(['v,0,4,0', 'w,0,4,'], labelled='some')))
    check_run(run(model(), dataset(['v,0,4,0']), dataset(['v,0,4,'], labelled=False)))


@pytest.mark.parametrize('student', [False, True])
def test_labels_from_1_are_told(dataset, model, student):
    key = 'model.recognizer.cls_head' if student else 'model.cls_head'
    with pytest.raises(ValueError) as error:
        check_run(run(model(student=student), dataset(['v,0,4,1', 'w,0,4,3', 'x,0,4,2'])))
    for part in (
        'train_dataloader: ',
        "ann.csv has action labels from 1 to 3 (sample 'w_0_4'), but the model has 3 classes",
        f'Number the classes from 0, or set {key}.num_classes=4.',
    ):
        assert part in str(error.value)


def test_each_task_has_its_own_number_of_classes(dataset, model):
    classes = dict(verb=3, noun=2)
    with pytest.raises(ValueError, match='val_dataloader: .* noun labels from 0 to 2 ') as error:
        check_run(run(model(classes), dataset(TWO_TASKS[::2]), dataset(TWO_TASKS)))
    assert 'Correct the labels, or set model.cls_head.heads.noun.num_classes=3.' in str(error.value)
    with pytest.raises(ValueError, match='test_dataloader: .* noun labels'):
        check_run(run(model(classes), None, dataset(TWO_TASKS)), test=True)


@pytest.mark.parametrize('wrap', [lambda d: RepeatDataset(d, 2), lambda d: ConcatDataset([d, d])])
def test_wrapped_data_sets_are_looked_into(dataset, model, wrap):
    with pytest.raises(ValueError, match='action labels from 1 to 3'):
        check_run(run(model(), wrap(dataset(['v,0,4,1', 'w,0,4,3']))))


def test_a_stock_recognizer_needs_every_label(dataset, model):
    some = dataset(['v,0,4,0', 'w,0,4,'], labelled='some')
    with pytest.raises(ValueError, match="sample 'w_0_4' .* no label.*Recognizer3D.*Student.*Mult"):
        check_run(run(model(), some))
    with pytest.raises(ValueError, match='mmdistill.StudentRecognizer'):
        check_run(run(model(dict(verb=2, noun=3)), dataset(TWO_TASKS, labelled=False)))
    with pytest.raises(ValueError, match=r"labels of \['noun', 'verb'\], .*MultitaskHead.*verb=…"):
        check_run(run(model(), dataset(TWO_TASKS)))


def test_a_loader_gives_batches(dataset, model):
    two = dataset(['v,0,4,0', 'w,0,4,2'])
    check_loader('train_dataloader', loader(two, batch_size=4), model())
    endless = loader(two, batch_size=4, drop_last=True, sampler=InfiniteSampler)
    check_loader('train_dataloader', endless, model())
    with pytest.raises(ValueError, match='train_dataloader gives no batch: drop_last=True.* 2 '):
        check_loader('train_dataloader', loader(two, batch_size=4, drop_last=True), model())
    none = ConcatDataset([two])
    none.cumulative_sizes = [0]
    with pytest.raises(ValueError, match='val_dataloader has no clip'):
        check_loader('val_dataloader', DataLoader(none), model())
