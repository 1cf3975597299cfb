"""Names, versions and ranges of everything mmdistill needs: the only place for them.

`tools/setup_env.py` reads the lists below, so setuptools is not imported until this file is run.
"""

import re
from pathlib import Path

PYTHON = '>=3.10,<3.13'  # the setup.py of mmcv 2.1.0 fails on 3.13
# What `make setup` installs where nothing fitting is there yet.
PINS = {'torch': '2.13.0', 'mmcv': '2.1.0'}
# setuptools 82 has no pkg_resources, which mmcv needs to build and MMEngine to run.
BUILD = ['setuptools<81', 'wheel', 'ninja', 'psutil']
RUN = [
    'torch>=2.6',  # older ones run code of a checkpoint, even with weights_only=True
    'mmengine>=0.10.7,<0.11',
    # mmcv without its compiled operators. Both wheels put the same files into the same folder, so
    # the mmcv of an extra may be installed beside this one: keep their ranges equal.
    'mmcv-lite>=2.1,<2.2',
    'mmaction2==1.2.0',
    'setuptools<81',
    'importlib-metadata',  # mmaction2 needs it without saying so
    'decord>=0.6',
    'av>=17',  # converts in one thread, knows cover art
    'opencv-python>=4.7',
    'numpy>=1.24',
    'h5py>=3.8',
    'filelock>=4.0',
    'exceptiongroup>=1; python_version < "3.11"',  # filelock needs it there
    'safetensors>=0.4',
    'psutil>=5.9',
    'rich>=13',
]
# For a detector: extract-detections, DetectorBackbone. Installing mmcv compiles it.
DETECT = ['mmcv>=2.1,<2.2', 'mmdet>=3.3,<3.4']
# For pages, tables and plots: report, cost, views, sweep.
REPORT = ['jinja2>=3.1', 'matplotlib>=3.7', 'scipy>=1.10']
# What predicting with an exported model needs, and all that it needs: beside these, the package
# itself may be installed with --no-deps.
PREDICT = [
    'onnxruntime>=1.18',
    'numpy>=1.24',
    'av>=17',
    'opencv-python>=4.7',
    'psutil>=5.9',
    'rich>=13',
]
# For models in other formats.
EXPORT = ['onnx>=1.16', 'onnxscript>=0.2', 'onnxruntime>=1.18']
OPENVINO = ['onnx>=1.16', 'onnxscript>=0.2', 'openvino>=2024.4', 'nncf>=2.13']
# For experts and students that are models of Hugging Face.
HF = ['transformers>=4.55,<6']
DEV = [
    *DETECT,
    *REPORT,
    *EXPORT,
    *OPENVINO,
    *HF,
    'pytest>=8',
    'ruff==0.17.6',
    'scikit-learn>=1.3',
    'torchmetrics>=1.3',
    'tensorboard>=2.14',
    'pytest-xdist>=3.5',
    'mypy>=1.13',
    'sphinx>=7.4,<9',
    'furo>=2024.8',
    'myst-parser>=4',
]
# Installed without what they ask for: netcal's metrics need neither its gpytorch nor its pyro.
DEV_ALONE = ['netcal>=1.4,<2']

if __name__ == '__main__':
    from setuptools import find_packages, setup

    package = Path(__file__).parent / 'mmdistill' / '__init__.py'
    setup(
        name='mmdistill',
        version=re.search(r"__version__ = '(.+)'", package.read_text()).group(1),
        description='Multimodal distillation for MMAction2',
        license='Apache-2.0',
        packages=find_packages(include=['mmdistill', 'mmdistill.*']),
        # Configs and tools travel in `.mim`, where MMEngine looks for those of a package; in a
        # clone they are links.
        package_data={'mmdistill': ['**/*.html', '**/*.css', '**/*.js', '**/*.j2', '.mim/**/*']},
        entry_points={'console_scripts': ['mmdistill=mmdistill.cli:main']},
        python_requires=PYTHON,
        install_requires=RUN,
        extras_require={
            'detect': DETECT,
            'report': REPORT,
            'predict': PREDICT,
            'export': EXPORT,
            'openvino': OPENVINO,
            'hf': HF,
            'dev': DEV,
        },
    )
