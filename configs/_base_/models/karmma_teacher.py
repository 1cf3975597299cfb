# KARMMA's teacher: frozen experts, and a transformer over their tokens. Sizes that the paper's
# figures do not state: 8 tokens of each modality, 256 wide, 2 layers of 8 heads.
expert_dir = 'work_dirs'

width = 256
head = dict(type='I3DHead', in_channels=width, spatial_type=None, dropout_ratio=0.0)
model = dict(
    type='mmdistill.FusionRecognizer',
    fusion=dict(embed_dims=width, num_tokens=8, num_layers=2, num_heads=8),
    cls_head=dict(type='mmdistill.FusionHead', embed_dims=width),
)
