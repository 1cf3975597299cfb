"""The teacher is its experts' weighted sum, stays asleep, and says what is wrong."""

import pytest
import torch
from torch import nn

from mmdistill.models.logits import by_task
from mmdistill.models.teacher_output import set_teacher_output, teacher_feature, teacher_logits
from mmdistill.registry import MODELS

TASKS = ('verb', 'noun')


@pytest.fixture
def checkpoints(tmp_path, recognizer_config):
    """Two experts' checkpoints, saved as MMEngine saves them."""
    paths = {}
    for name in ('rgb', 'flow'):
        model = MODELS.build(recognizer_config())
        model.init_weights()
        # Freshly initialised heads answer almost the same; spread them.
        for head in model.cls_head.heads.values():
            nn.init.normal_(head.fc_cls.weight, std=1.0)
        paths[name] = str(tmp_path / f'{name}.pth')
        torch.save(dict(state_dict=model.state_dict(), meta={}), paths[name])
    return paths


@pytest.fixture
def build_teacher(checkpoints, recognizer_config):
    def build(weighting=None, **changes):
        experts = {
            name: dict(model=recognizer_config(), checkpoint=path)
            for name, path in checkpoints.items()
        }
        for name, change in changes.items():
            experts[name].update(change)
        return MODELS.build(
            dict(
                type='mmdistill.MultimodalTeacher',
                experts=experts,
                weighting=weighting or dict(type='mmdistill.UniformWeighting'),
            )
        )

    return build


def test_logits_are_the_weighted_sum_of_the_experts(
    build_teacher, checkpoints, recognizer_config, make_batch
):
    weights = [0.7, 0.3]
    teacher = build_teacher(dict(type='mmdistill.FixedWeighting', weights=weights))
    batch = make_batch(num_clips=3, num_views=2)
    output = teacher.teach(batch)
    for task in TASKS:
        expected = torch.zeros_like(output.logits[task])
        for m, (name, path) in enumerate(checkpoints.items()):
            expert = MODELS.build(recognizer_config()).eval()
            expert.load_state_dict(torch.load(path)['state_dict'])
            views = torch.stack(batch['inputs'][name]).float()
            views = (views.flatten(0, 1) - 128) / 64
            with torch.no_grad():
                logits_VK = expert.cls_head(expert.backbone(views))[task]
            logits_K = logits_VK.reshape(3, 2, -1).mean(1)
            assert torch.allclose(output.expert_logits[task][:, m], logits_K, atol=1e-4)
            expected += weights[m] * logits_K
        assert torch.allclose(output.logits[task], expected, atol=1e-4)
        assert torch.allclose(output.weights[task].sum(1), torch.ones(3))


def test_a_teacher_stays_asleep_inside_a_training_parent(build_teacher, make_batch):
    teacher = build_teacher()
    before = {key: value.clone() for key, value in teacher.state_dict().items()}
    nn.Sequential(teacher).train()
    assert not any(module.training for module in teacher.modules())
    first = teacher.teach(make_batch())
    second = teacher.teach(make_batch())
    assert all(torch.equal(first.logits[task], second.logits[task]) for task in TASKS)
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
    assert all(torch.equal(value, before[key]) for key, value in teacher.state_dict().items())


def test_targets_travel_on_the_samples_and_serve_a_backward_pass(build_teacher, make_batch):
    teacher, batch = build_teacher(), make_batch()
    output = teacher.teach(batch)
    set_teacher_output(batch['data_samples'], output)
    logits = teacher_logits(batch['data_samples'])
    assert all(torch.equal(logits[task], output.logits[task]) for task in TASKS)
    sample = batch['data_samples'][1]
    assert torch.equal(sample.teacher.expert_logits.verb, output.expert_logits['verb'][1])
    student = torch.randn_like(logits['verb'], requires_grad=True)
    (student * logits['verb']).sum().backward()  # inference-mode tensors would refuse
    assert torch.equal(student.grad, logits['verb'])


def test_samples_without_a_teacher_are_an_error(make_batch):
    with pytest.raises(KeyError, match='DistillationLossHook'):
        teacher_logits(make_batch()['data_samples'])


def test_an_absent_modality_has_no_say(build_teacher, make_batch):
    teacher, batch = build_teacher(), make_batch(num_clips=2)
    batch['data_samples'][1].set_metainfo(dict(available=dict(rgb=True, flow=False)))
    output = teacher.teach(batch)
    assert output.weights['verb'].tolist() == [[0.5, 0.5], [1.0, 0.0]]
    assert torch.allclose(output.logits['noun'][1], output.expert_logits['noun'][1, 0])


def test_it_predicts_like_a_student(build_teacher, make_batch):
    teacher, batch = build_teacher(), make_batch()
    expected = teacher.teach(make_batch()).logits
    samples = teacher.test_step(batch)
    assert torch.equal(samples[2].pred_score['verb'], expected['verb'][2])
    with pytest.raises(RuntimeError, match='frozen'):
        teacher(dict(), [], mode='loss')


def test_weightings_differ_by_task_and_survive_a_checkpoint(build_teacher, make_batch):
    weighting = dict(
        verb=dict(type='mmdistill.SoftminWeighting', temperature=0.1),
        noun=dict(type='mmdistill.UniformWeighting'),
    )
    teacher, other = build_teacher(weighting), build_teacher(weighting)
    answer = build_teacher().teach(make_batch(num_clips=8))
    labels = {task: torch.arange(8) % 4 for task in TASKS}
    teacher.fit_weighting(answer.expert_logits, labels)
    other.load_weighting_state(teacher.weighting_state())
    ours, theirs = teacher.teach(make_batch()), other.teach(make_batch())
    assert torch.equal(ours.weights['verb'], theirs.weights['verb'])
    assert ours.weights['noun'][0].tolist() == [0.5, 0.5]
    assert abs(ours.weights['verb'][0, 0] - 0.5) > 0.01


class TestFeatures:
    LAYER = ('flow', 'backbone.layer3')

    def test_features_are_views_of_what_the_layer_gave(self, build_teacher, make_batch):
        teacher, batch = build_teacher(), make_batch(num_clips=2, num_views=3)
        teacher.watch([self.LAYER])
        seen = []
        layer = teacher.experts.flow.recognizer.backbone.layer3
        handle = layer.register_forward_hook(lambda module, args, output: seen.append(output))
        output = teacher.teach(batch)
        handle.remove()
        assert not layer._forward_hooks
        clips = output.features[self.LAYER]
        assert [len(clip) for clip in clips] == [3, 3]
        assert torch.equal(torch.cat(clips), seen[0])
        assert clips[1].data_ptr() == seen[0][3:].data_ptr()
        set_teacher_output(batch['data_samples'], output)
        # A data preprocessor moves the samples to its device.
        samples = [sample.to('cpu') for sample in batch['data_samples']]
        rows, feature = teacher_feature(samples, *self.LAYER)
        assert rows == [0, 1]
        assert torch.equal(feature, seen[0])

    def test_a_clip_without_the_modality_has_none(self, build_teacher, make_batch):
        teacher, batch = build_teacher(flow=dict(modality='rgb')), make_batch(num_clips=2)
        teacher.watch([self.LAYER])
        batch['data_samples'][0].set_metainfo(dict(available=dict(rgb=False)))
        teacher.experts.rgb.modality = 'other'  # the clip must have something
        output = teacher.teach(make_other(batch))
        set_teacher_output(batch['data_samples'], output)
        rows, feature = teacher_feature(batch['data_samples'], *self.LAYER)
        assert rows == [1]
        assert torch.equal(feature, output.features[self.LAYER][1])

    def test_what_the_teacher_does_not_have(self, build_teacher):
        with pytest.raises(KeyError, match=r"'audio', but the teacher has \['rgb', 'flow'\]"):
            build_teacher().watch([('audio', 'backbone.layer3')])
        with pytest.raises(KeyError, match="'backbone.layr3' in expert 'flow'.*one of backbone.l"):
            build_teacher().watch([('flow', 'backbone.layr3')])


def make_other(batch):
    return dict(batch, inputs=dict(batch['inputs'], other=batch['inputs']['rgb']))


class TestBadInput:
    def test_a_weighting_by_labels_on_an_unlabelled_clip(self, build_teacher, make_batch):
        teacher = build_teacher(dict(type='mmdistill.ConfidenceAwareWeighting'))
        batch = make_batch()
        assert teacher.teach(batch).weights['verb'].shape == (3, 2)
        batch['data_samples'][1].pop('gt_labels')
        with pytest.raises(ValueError, match="ConfidenceAwareWeighting .* 'clip1' has none"):
            teacher.teach(batch)

    def test_missing_checkpoint(self, build_teacher, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"'flow'.*mmdistill train"):
            build_teacher(flow=dict(checkpoint=str(tmp_path / 'best_*.pth')))

    def test_ambiguous_checkpoint(self, build_teacher, tmp_path):
        with pytest.raises(FileNotFoundError, match='2 files match'):
            build_teacher(flow=dict(checkpoint=str(tmp_path / '*.pth')))

    def test_checkpoint_of_another_model(self, build_teacher, recognizer_config):
        other = recognizer_config(classes=dict(verb=9, noun=5))
        with pytest.raises(ValueError, match="flow.pth does not fit .* 'flow': .*of another shape"):
            build_teacher(flow=dict(model=other))

    def test_experts_with_other_classes(self, build_teacher, recognizer_config):
        other = recognizer_config(classes=dict(verb=9, noun=5))
        with pytest.raises(ValueError, match='same classes'):
            build_teacher(flow=dict(model=other, checkpoint=None))

    def test_batch_without_the_modality(self, build_teacher, make_batch):
        with pytest.raises(KeyError, match=r"'flow'.*\['rgb'\]"):
            build_teacher().teach(make_batch(modalities=('rgb',)))

    def test_expert_with_an_unknown_key(self, build_teacher):
        with pytest.raises(ValueError, match='takes'):
            build_teacher(flow=dict(ckpt='x.pth'))

    def test_weightings_for_other_tasks(self, build_teacher):
        with pytest.raises(ValueError, match='noun'):
            build_teacher(dict(verb=dict(type='mmdistill.UniformWeighting')))

    def test_wrong_number_of_fixed_weights(self, build_teacher, make_batch):
        teacher = build_teacher(dict(type='mmdistill.FixedWeighting', weights=[0.2, 0.3, 0.5]))
        with pytest.raises(ValueError, match='2 experts'):
            teacher.teach(make_batch())

    def test_no_experts(self):
        with pytest.raises(ValueError, match='no experts'):
            MODELS.build(
                dict(
                    type='mmdistill.MultimodalTeacher',
                    experts={},
                    weighting=dict(type='mmdistill.UniformWeighting'),
                )
            )


class TestUpstreamsRecognizers:
    """What their configs bring that a batch of a teacher does not allow for."""

    def test_a_batch_is_answered_in_spite_of_max_testing_views(self, recognizer_config, make_batch):
        model = dict(recognizer_config(), test_cfg=dict(max_testing_views=2))
        teacher = alone(dict(model=model, checkpoint=None))
        assert teacher.teach(make_batch(num_clips=3)).logits['verb'].shape == (3, 4)

    def test_a_head_with_two_streams_counts_as_their_mean(self):
        head = nn.Identity()
        head.num_classes = 4
        streams = dict(rgb=torch.ones(2, 4), pose=torch.zeros(2, 4))
        for output in (streams, list(streams.values())):
            assert torch.equal(by_task(output, head)['action'], torch.full((2, 4), 0.5))
        head.num_classes = dict(rgb=4, pose=4)
        assert by_task(streams, head) == streams

    def test_clips_are_not_mixed_as_in_the_experts_own_training(
        self, recognizer_config, make_batch
    ):
        plain, batch = recognizer_config(), make_batch(num_clips=3)
        part = dict(plain['data_preprocessor'], blending=dict(type='MixupBlending', num_classes=4))
        inputs = [
            alone(dict(model=model, checkpoint=None)).experts['rgb'].preprocess(batch)
            for model in (plain, dict(plain, data_preprocessor=part))
        ]
        assert torch.equal(*inputs)

    def test_several_inputs_are_read_under_the_models_own_names(self, recognizer_config):
        part = recognizer_config()['data_preprocessor']
        model = dict(
            recognizer_config(),
            data_preprocessor=dict(
                type='MultiModalDataPreprocessor', preprocessors=dict(imgs=part, heatmap_imgs=part)
            ),
        )
        modality = dict(imgs='rgb', heatmap_imgs='pose')
        expert = alone(dict(model=model, checkpoint=None, modality=modality)).experts['rgb']
        clips = [torch.zeros(1, 3, 2, 8, 8)]
        batch = dict(inputs=dict(rgb=clips, pose=clips, flow=clips), data_samples=[])
        assert list(expert.preprocess(batch)) == ['imgs', 'heatmap_imgs']
        assert expert.modalities == ['rgb', 'pose']
        assert batch['inputs']['rgb'] is clips and len(batch['inputs']) == 3
        with pytest.raises(KeyError, match="reads 'pose', but the batch has only \\['rgb'\\]"):
            expert.preprocess(dict(inputs=dict(rgb=clips), data_samples=[]))


def alone(expert):
    return MODELS.build(
        dict(
            type='mmdistill.MultimodalTeacher',
            experts=dict(rgb=expert),
            weighting=dict(type='mmdistill.UniformWeighting'),
        )
    )
