"""Distillation losses: one idea per file, a pure function plus a thin registered module."""

from .adjusted_target import AdjustedTargetLoss, adjusted_logits
from .attention_transfer import AttentionTransferLoss, attention_distance
from .balanced_target import BalancedTargetLoss, balanced_target_kl
from .class_counts import effective_weights, frequency_groups, log_prior
from .dist import DISTLoss, dist_relations
from .dkd import DKDLoss, decoupled_kl
from .feature import FeatureLoss
from .feature_grid import clip_grid
from .feature_mse import FeatureMSELoss
from .group_target import GroupRebalancedLoss, group_kl
from .logit_mse import LogitMSELoss, logit_mse
from .relational import RelationalLoss, relational_distance
from .schedule import (
    CosineWeight,
    LinearWeight,
    StepWeight,
    WeightSchedule,
    cosine_weight,
    linear_weight,
    step_weight,
)
from .soft_target import SoftTargetLoss, soft_target_kl
from .standardize import standardize_logits
from .ttm import TTMLoss, transformed_teacher_kl

__all__ = [
    'AdjustedTargetLoss',
    'AttentionTransferLoss',
    'BalancedTargetLoss',
    'CosineWeight',
    'DISTLoss',
    'DKDLoss',
    'FeatureLoss',
    'FeatureMSELoss',
    'GroupRebalancedLoss',
    'LinearWeight',
    'LogitMSELoss',
    'RelationalLoss',
    'SoftTargetLoss',
    'StepWeight',
    'TTMLoss',
    'WeightSchedule',
    'adjusted_logits',
    'attention_distance',
    'balanced_target_kl',
    'clip_grid',
    'cosine_weight',
    'decoupled_kl',
    'dist_relations',
    'effective_weights',
    'frequency_groups',
    'group_kl',
    'linear_weight',
    'log_prior',
    'logit_mse',
    'relational_distance',
    'soft_target_kl',
    'standardize_logits',
    'step_weight',
    'transformed_teacher_kl',
]
