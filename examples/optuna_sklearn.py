"""Tune a scikit-learn model with a language model, and with Optuna's TPE and random search beside it.

    pip install 'llmopt[local]' scikit-learn
    python examples/optuna_sklearn.py --trials 40 --seeds 5

The error of a regression on scikit-learn's diabetes data (442 patients, 5-fold cross-validation) is minimized over two
kinds of models with parameters of their own. With ``--storage sqlite:///studies.db`` the studies can be looked at:
``optuna-dashboard sqlite:///studies.db``.
"""

import argparse
import platform
import statistics
import time
from importlib.metadata import version

import optuna
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from llmopt.integrations.optuna import LLMSampler, tally
from llmopt.llm import connect

X, Y = load_diabetes(return_X_y=True)
FOLDS = KFold(5, shuffle=True, random_state=0)


def error(trial):
    """Return the root mean squared error of the model that a trial describes."""
    if trial.suggest_categorical("kind", ["svr", "boosting"]) == "svr":
        model = SVR(
            C=trial.suggest_float("C", 1e-2, 1e4, log=True),
            gamma=trial.suggest_float("gamma", 1e-5, 1e1, log=True),
            epsilon=trial.suggest_float("epsilon", 1e-2, 1e2, log=True),
        )
    else:
        model = GradientBoostingRegressor(
            learning_rate=trial.suggest_float("learning_rate", 1e-3, 1, log=True),
            n_estimators=trial.suggest_int("n_estimators", 10, 100, step=10),
            max_depth=trial.suggest_int("max_depth", 1, 5),
            subsample=trial.suggest_float("subsample", 0.3, 1, step=0.05),
            random_state=0,
        )
    model = make_pipeline(StandardScaler(), model)
    return -cross_val_score(model, X, Y, cv=FOLDS, scoring="neg_root_mean_squared_error").mean()


def main():
    """Run every sampler with every seed and print the least errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llm", default="local", help="SPEC of the model")
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--storage", help="where Optuna keeps the studies; by default in memory")
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with connect(options.llm) as llm:
        samplers = {
            f"LLMSampler {options.llm}": lambda seed: LLMSampler(llm, seed=seed),
            "TPESampler": lambda seed: optuna.samplers.TPESampler(seed=seed),
            "RandomSampler": lambda seed: optuna.samplers.RandomSampler(seed=seed),
        }
        print(f"{'':24}{'best error: median (least .. largest)':44}{'s per study':>12}  replies")
        for name, sampler in samplers.items():
            best, seconds, replies = [], [], ""
            for seed in range(options.seeds):
                study = optuna.create_study(
                    study_name=f"{name}, seed {seed}", storage=options.storage, sampler=sampler(seed)
                )
                began = time.perf_counter()
                study.optimize(error, n_trials=options.trials)
                seconds.append(time.perf_counter() - began)
                best.append(study.best_value)
                if (counts := tally(study)).steps:
                    replies += f" {counts.proposals}+{counts.invalid.total()}"
            spread = f"{statistics.median(best):.3f} ({min(best):.3f} .. {max(best):.3f})"
            print(f"{name:24}{spread:44}{statistics.median(seconds):12.1f}  {replies}", flush=True)
    packages = ", ".join(f"{name} {version(name)}" for name in ("llmopt", "optuna", "scikit-learn", "numpy"))
    print(f"{options.trials} trials, seeds 0 .. {options.seeds - 1}; {packages}, Python {platform.python_version()}")


if __name__ == "__main__":
    main()
