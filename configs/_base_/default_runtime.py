_base_ = 'mmaction::_base_/default_runtime.py'

# The best checkpoint is chosen by the accuracy of the action: verb and noun both right.
default_hooks = dict(
    checkpoint=dict(
        type='mmdistill.SafeCheckpointHook',
        interval=1,
        max_keep_ckpts=2,
        save_best='acc/action/top1',
        rule='greater',
    ),
    logger=dict(interval=20, ignore_last=False),
    # A resumed run continues as if it had not been interrupted.
    rng_state=dict(type='mmdistill.RngStateHook'),
    rank_buffers=dict(type='mmdistill.RankBuffersHook'),
    # Figures and the metrics of tests for TensorBoard and its like; see visualizers/.
    visual_report=dict(type='mmdistill.VisualReportHook'),
)
log_processor = dict(type='LogProcessor', window_size=20, by_epoch=True)
randomness = dict(seed=0)
