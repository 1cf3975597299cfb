# `mlflow ui --backend-store-uri sqlite:///work_dirs/mlflow.db`; needs `pip install mlflow`. A
# config that inherits this file says: visualizer = dict(vis_backends=_base_.mlflow)
mlflow = [
    dict(type='LocalVisBackend'),
    dict(
        type='MLflowVisBackend',
        exp_name='mmdistill',
        # For a server: its http://… here, and artifact_location=None.
        tracking_uri='sqlite:///work_dirs/mlflow.db',
        artifact_location='work_dirs/mlflow',
        # Parameters to sort runs by; the whole config is stored as text.
        tracked_config_keys=['optim_wrapper', 'train_cfg'],
    ),
]
