"""The walk on one config per family; `make conformance` takes them all."""

import pytest
import random_batch
import torch
from checks import Case, check_expert, check_student, outcome, shift_segments, tin_shift_on_cpu
from table import Row, page, summary
from upstream_configs import config_names

FAMILIES = dict(
    tsn='recognition/tsn/tsn_imagenet-pretrained-r50_8xb32_5x1x3-110e_kinetics400-flow.py',
    tsm='recognition/tsm/tsm_imagenet-pretrained-mobilenetv2_8xb16-1x1x8-100e_kinetics400-rgb.py',
    tin='recognition/tin/tin_imagenet-pretrained-r50_8xb6-1x1x8-40e_sthv2-rgb.py',
    tpn='recognition/tpn/tpn-tsm_imagenet-pretrained-r50_8xb8-1x1x8-150e_sthv1-rgb.py',
    csn='recognition/csn/ircsn_ig65m-pretrained-r50-bnfrozen_8xb12-32x2x1-58e_kinetics400-rgb.py',
    x3d='recognition/x3d/x3d_s_13x6x1_facebook-kinetics400-rgb.py',
    mvit='recognition/mvit/mvit-small-p244_32xb16-16x4x1-200e_kinetics400-rgb.py',
    videomae='recognition/videomae/vit-base-p16_videomae-k400-pre_16x4x1_kinetics-400.py',
    timesformer='recognition/timesformer/timesformer_divST_8xb8-8x32x1-15e_kinetics400-rgb.py',
    uniformer='recognition/uniformer/uniformer-small_imagenet1k-pre_16x4x1_kinetics400-rgb.py',
    audio='recognition_audio/resnet/tsn_r18_8xb320-64x1x1-100e_kinetics400-audio-feature.py',
    skeleton='skeleton/stgcnpp/stgcnpp_8xb16-joint-u100-80e_ntu60-xsub-keypoint-2d.py',
    two_streams='skeleton/posec3d/rgbpose_conv3d/rgbpose_conv3d.py',
    omni='recognition/omnisource/slowonly_r50_8xb16-8x8x1-256e_imagenet-kinetics400-rgb.py',
)


@pytest.fixture(autouse=True)
def _tin_on_cpu():
    with tin_shift_on_cpu():
        yield


@pytest.mark.parametrize('family', FAMILIES)
def test_a_student_of_every_family(family):
    check_student(Case(FAMILIES[family]))


@pytest.mark.parametrize('family', FAMILIES)
def test_an_expert_of_every_family(family):
    check_expert(Case(FAMILIES[family]))


def test_every_config_of_the_wheel_is_walked():
    names = config_names()
    assert len(names) == len(set(names)) >= 169
    assert set(FAMILIES.values()) <= set(names)


def test_a_batch_has_the_frames_of_the_pipeline():
    shapes = random_batch.input_shapes(Case(FAMILIES['tsn']).cfg, training=True)
    assert shapes == {'own': ((3, 10, 64, 64), torch.uint8)}
    shapes = random_batch.input_shapes(Case(FAMILIES['csn']).cfg, training=False)
    assert shapes == {'own': ((2, 3, 32, 32, 32), torch.uint8)}


def test_the_stand_in_for_tin_shifts_groups_of_channels():
    data = torch.arange(1.0, 5.0).reshape(1, 4, 1, 1).repeat(1, 1, 2, 1)
    moved = shift_segments(data, torch.tensor([[1, -1]]))
    assert moved[0, :, 0, 0].tolist() == [2, 3, 4, 0]
    assert moved[0, :, 1, 0].tolist() == [0, 1, 2, 3]


class TestItNotices:
    """A walk that passes everything would prove nothing."""

    @pytest.fixture
    def case(self):
        return Case(FAMILIES['skeleton'])

    def test_a_teacher_that_moves(self, case, monkeypatch):
        def restless(teacher, batch, blend=None):
            next(iter(teacher.parameters())).data.add_(1)
            return still(teacher, batch, blend)

        from mmdistill.models import MultimodalTeacher

        still = MultimodalTeacher.teach
        monkeypatch.setattr(MultimodalTeacher, 'teach', restless)
        assert 'the teacher moved' in outcome(check_student, case)

    def test_a_checkpoint_with_other_keys(self, case, monkeypatch):
        monkeypatch.setattr('mmdistill.models.student.RECOGNIZER', 'recogniser.')
        assert outcome(check_student, case) != 'yes'

    def test_an_expert_that_answers_something_else(self, case, monkeypatch):
        import mmdistill.models.expert as expert

        right = expert.recognizer_logits
        monkeypatch.setattr(
            expert,
            'recognizer_logits',
            lambda *args: {task: 1.1 * x for task, x in right(*args).items()},
        )
        assert 'answers unlike the recognizer' in outcome(check_expert, case)


def test_the_page_counts_and_gives_reasons():
    rows = [
        Row('recognition/a/x.py', 'yes', 'yes', 1.0),
        Row('recognition/a/y.py', 'yes', 'upstream: No | kernel', 2.0),
    ]
    assert summary(rows) == ('2 of 2 configs pass as student, 1 as teacher; 1 do not run upstream.')
    assert '| y | yes | upstream: No / kernel |' in page(rows)
