# Something-Else, compositional split: verbs are tested on objects that they were not trained with.
# Videos and flow are those of Something-Something V2; boxes are the owners', drawn by people.
_base_ = './sthv2.py'

splits = 'something_else/dataset_splits/compositional'
common = dict(
    type='mmdistill.SomethingElseDataset',
    labels=f'{splits}/labels.json',
    media=dict(obj='something_else/boxes'),
    pipeline=dict(
        load=dict(
            modalities=dict(
                obj=dict(_delete_=True, type='mmdistill.SomethingElseBoxes', max_boxes=10)
            )
        )
    ),
)
train_dataset = dict(common, ann_file=f'{splits}/train.json')
test_dataset = dict(common, ann_file=f'{splits}/validation.json')
train_dataloader = dict(dataset=train_dataset)
holdout_dataloader = dict(dataset=train_dataset)
val_dataloader = dict(dataset=train_dataset)
test_dataloader = dict(dataset=test_dataset)
