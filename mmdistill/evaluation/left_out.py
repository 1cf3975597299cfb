"""What a report does not show, and what would give it."""

from collections.abc import Mapping
from typing import Any

from .report_config import ReportConfig
from .report_tables import distinct


def left_out(
    report: Mapping[str, Any], config: ReportConfig, pictures: Mapping[str, Any]
) -> list[dict[str, str]]:
    """A `section`, and `how` to have it, for everything that the report lacks.

    Args:
        report: The content of report.json.
        config: Its config.
        pictures: Of the page.
    """
    rows = report['rows']
    return [
        {'section': section, 'how': how}
        for section, how in (
            *_of_comparison(report),
            *_of_calibration(config, rows),
            *_of_missing(config, rows),
            *_of_cost(config, rows),
            *_of_trainings(report, config, pictures),
            *_of_clips(config, pictures),
        )
    ]


def _of_comparison(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    if report['baseline'] is None:
        found.append(('Differences', "give a model role='baseline'."))
    elif not report['differences']:
        found.append(('Differences', 'give a second model beside the baseline.'))
    if report['rows'][0]['num_groups'] < 2:
        found.append(('Intervals', 'test on clips of at least two videos (groups).'))
    return found


def _of_calibration(config: ReportConfig, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    found = []
    shown = {row['name'] for row in distinct(rows)}
    models = [model for model in config.models if model.name in shown]
    for model in models:
        if model.files.holdout is None:
            command = f'{model.test_command} --holdout --dump holdout.npz'
            found.append(
                (f'Temperature scaling of {model.title}', f'give holdout=…, a dump of `{command}`.')
            )
    if not any(model.files.views for model in models):
        more = '--cfg-options test_dataloader.dataset.pipeline.sample.num_clips=5'
        command = f'{models[-1].test_command} --dump views.npz {more}'
        found.append(('Views', f'give views=dict(dump=…, clips=5), a dump of `{command}`.'))
    return found


def _of_missing(config: ReportConfig, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    fused = [row for row in rows if row['role'] != 'teacher' and len(row['reads']) > 1]
    if config.missing or not fused:
        return []
    how = (
        f'{fused[0]["title"]} reads {" and ".join(fused[0]["reads"])}; if it is a fusion model, '
        'give missing=FOLDER, which `mmdistill missing-modalities compare` writes.'
    )
    return [('When modalities are missing', how)]


def _of_cost(config: ReportConfig, rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    if config.cost is None:
        return [('Cost', 'take cost=False out of the config.')]
    without = [row['title'] for row in rows if 'cost' not in row]
    found = []
    if without:
        how = 'these models read boxes: give detector=dict(config=…, checkpoint=…).'
        found.append((f'Cost of {", ".join(without)}', how))
    if not config.cost.batch_sizes:
        found.append(('Throughput', 'give cost=dict(batch_sizes=(1, 8)).'))
    if sum('cost' in row for row in distinct(rows)) < 2:
        found.append(('Accuracy over cost', 'it takes two models whose cost is measured.'))
    return found


def _of_trainings(
    report: Mapping[str, Any], config: ReportConfig, pictures: Mapping[str, Any]
) -> list[tuple[str, str]]:
    found = []
    roles = {model.role for model in config.models}
    if roles & {'teacher', 'student'} and not report['teacher_weights']:
        how = (
            'give train=…, the work dir of a test of the teacher or of a training of the student, '
            'whose log has the weights.'
        )
        found.append(('Weights of the teacher', how))
    if not pictures['curves']:
        found.append(('Training curves', 'give train=…, the work dirs of the trainings.'))
    return found


def _of_clips(config: ReportConfig, pictures: Mapping[str, Any]) -> list[tuple[str, str]]:
    if pictures['clips']:
        how = 'it is no image, or the clips that were drawn lack it.'
        return [(f'Pictures of {name}', how) for name in pictures['unseen']]
    if not config.clips:
        return [('Sample clips', 'take clips=False out of the config.')]
    return [('Sample clips', 'test on a data set of mmdistill, whose records name the media.')]
