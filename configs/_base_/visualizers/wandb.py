# Weights & Biases; needs `pip install wandb`, and `wandb login` unless mode is 'offline'. A config
# that inherits this file says: visualizer = dict(vis_backends=_base_.wandb)
wandb = [
    dict(type='LocalVisBackend'),
    dict(type='WandbVisBackend', init_kwargs=dict(project='mmdistill', mode='online')),
]
# Writes into the work dir; `wandb sync` sends it later.
wandb_offline = [
    dict(type='LocalVisBackend'),
    dict(type='WandbVisBackend', init_kwargs=dict(project='mmdistill', mode='offline')),
]
