# `mlflow ui --backend-store-uri sqlite:///work_dirs/mlflow.db`; needs `pip install mlflow`. A config
# that inherits this file says: visualizer = dict(vis_backends=_base_.mlflow)
mlflow = [
    dict(type='LocalVisBackend'),
    dict(
        type='MLflowVisBackend',
        exp_name='mmdistill',
        # Or the address of a server, http://….
        tracking_uri='sqlite:///work_dirs/mlflow.db',
        # All of a config has more parameters than MLflow takes; its text is stored in any case.
        tracked_config_keys=['optim_wrapper', 'train_cfg'],
    ),
]
