# `tensorboard --logdir work_dirs`; needs `pip install tensorboard`. A config that inherits this
# file says: visualizer = dict(vis_backends=_base_.tensorboard)
tensorboard = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
