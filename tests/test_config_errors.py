"""A part of a config that a library cannot build is named; what fails elsewhere is not a part."""

import pytest
from mmengine.config import Config
from mmengine.registry import OPTIMIZERS

import mmdistill  # noqa: F401  (repairs upstream first)
from mmdistill.config_errors import build_message
from mmdistill.registry import MODELS, TRANSFORMS
from mmdistill.user_errors import one_line_errors

HEAD = dict(type='I3DHead', num_classes=3, in_channels=8)


def error_of(act, *args):
    with pytest.raises(Exception) as caught:  # noqa: B017, PT011  (of whatever type it is)
        act(*args)
    return caught.value


def build_model(cfg):
    return MODELS.build(cfg.model)


def test_the_innermost_part_is_named_by_its_place():
    backbone = dict(type='ResNet3d', depht=18)
    base = dict(type='ResNet3d')
    model = dict(type='Recognizer3D', backbone=backbone, cls_head=HEAD)
    cfg = Config(dict(base=base, model=model))
    said = build_message(error_of(build_model, cfg))
    assert said.startswith(
        "The part model.backbone (type='ResNet3d') of the config cannot be built"
    )
    assert "unexpected keyword argument 'depht'" in said


def test_an_element_of_a_list_is_named_by_its_number():
    cfg = Config(dict(pipeline=[dict(type='Resize', scale=(8, 8)), dict(type='Resize', scale=-1)]))

    def build(cfg):
        return [TRANSFORMS.build(step) for step in cfg.pipeline]

    assert build_message(error_of(build, cfg)).startswith("The part pipeline.1 (type='Resize')")


def test_without_a_config_the_type_stands_for_the_part():
    said = build_message(error_of(MODELS.build, dict(HEAD, dropout='much')))
    assert said.startswith("The part dict(type='I3DHead', …) of the config cannot be built: ")


def test_a_library_that_refuses_a_value_is_one_line():
    def main():
        weight = MODELS.build(HEAD).parameters()
        OPTIMIZERS.build(dict(type='SGD', params=weight, lr=-1))

    with pytest.raises(SystemExit, match="^error: .*type='SGD'.*: Invalid learning rate: -1. "):
        one_line_errors(main)()


def test_what_fails_later_is_no_part_of_a_config():
    head = MODELS.build(HEAD)
    assert build_message(error_of(head.forward, 'no tensor')) is None
