"""Distillation losses: one file each, a function plus a thin registered module."""

from .soft_target import SoftTargetLoss, soft_target_kl

__all__ = ['SoftTargetLoss', 'soft_target_kl']
