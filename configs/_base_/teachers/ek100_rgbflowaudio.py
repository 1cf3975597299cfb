# The experts of configs/unimodal.
_base_ = './weighted.py'

teacher = dict(
    experts=dict(
        rgb=dict(
            config='mmdistill::unimodal/swin_ek100_rgb.py',
            checkpoint='work_dirs/swin_ek100_rgb/best_*.pth',
        ),
        flow=dict(
            config='mmdistill::unimodal/swin_ek100_flow.py',
            checkpoint='work_dirs/swin_ek100_flow/best_*.pth',
        ),
        audio=dict(
            config='mmdistill::unimodal/swin_ek100_audio.py',
            checkpoint='work_dirs/swin_ek100_audio/best_*.pth',
        ),
    )
)
