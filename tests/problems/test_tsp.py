"""The travelling salesman as a problem, and the files that it is read from."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import InvalidInput
from llmopt.problems.tsp import TSP, tsp
from llmopt.problems.tsplib import read_instance, read_tour
from llmopt.registry import create_problem
from llmopt.tours import Distances

SHARED = Path(__file__).parents[3] / "shared" / "data" / "tsplib"
PUBLISHED = {"burma14": 3323, "ulysses22": 7013, "bays29": 2020, "att48": 10628, "berlin52": 7542, "kroA100": 21282}
shared = pytest.mark.skipif(not SHARED.exists(), reason="the TSPLIB files of ../shared are not here")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMOPT_CACHE", str(tmp_path / "cache"))


@shared
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_optima_are_found_and_proven(name: str) -> None:
    problem = tsp(file=SHARED / f"{name}.tsp", optimum="exact")
    assert problem.optimum is not None
    assert problem.optimum.score == PUBLISHED[name]


@shared
@pytest.mark.parametrize("name", ["bays29", "att48", "berlin52", "kroA100", "ulysses22"])
def test_a_published_tour_beside_the_file_is_the_optimum(name: str) -> None:
    problem = tsp(file=SHARED / f"{name}.tsp")
    assert problem.optimum is not None and problem.optimum.score == PUBLISHED[name]
    assert problem.evaluate(read_tour(SHARED / f"{name}.opt.tour", problem.space.n)) == PUBLISHED[name]


def test_random_instances_come_from_their_number() -> None:
    one, same, other = (create_problem("tsp", {"n": "8"}, instance=i) for i in (3, 3, 4))
    assert isinstance(one, TSP) and isinstance(other, TSP)
    assert one.points is not None and one.points.shape == (8, 2) and abs(one.points).max() <= 100
    assert one.identity() == same.identity() != other.identity()
    assert one.optimum is not None and one.evaluate(one.optimum.solution) == one.optimum.score
    starts = one.starts(np.random.default_rng(0))
    assert len(starts) == 5
    assert (one.evaluate_batch(one.space.pack(starts)) == [one.evaluate(start) for start in starts]).all()


def test_equal_tours_are_one_solution() -> None:
    matrix = [[0, 1, 2, 3], [4, 0, 5, 6], [7, 8, 0, 9], [1, 2, 3, 0]]
    assert TSP(matrix).space.symmetry == "rotation"
    assert TSP(np.add(matrix, np.transpose(matrix))).space.symmetry == "dihedral"


def test_a_model_reads_coordinates_or_a_small_matrix() -> None:
    problem = TSP(points=[(0, 0), (0, 1.23456), (1, 1), (1, 0)])
    assert "(1): (0, 1.235)" in problem.describe()
    assert "(2): 5 7 0" in TSP([[0, 1, 2], [3, 0, 4], [5, 7, 0]]).describe()
    assert len(TSP(np.ones((30, 30)), optimum="none").describe()) < 250


def test_the_optimum_may_be_unknown_given_or_found() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 1, (70, 2))
    assert TSP(points=points).optimum is None
    found = TSP(points=points, optimum="exact").optimum
    assert found is not None
    kept = TSP(points=points).optimum
    assert kept is not None and kept.score == found.score
    assert TSP(points=points, optimum="none").optimum is None
    given_one = TSP(points=points, optimum="12.5").optimum
    assert given_one is not None and given_one.score == 12.5


def test_points_and_matrices_are_read_from_files(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("\ufeff0, 0\n\n0; 1\n1\t1\n1 0\n")
    (tmp_path / "matrix.txt").write_text("0 1 2\n3 0 4\n5 6 0\n")
    optimum = tsp(points=tmp_path / "points.csv").optimum
    assert optimum is not None and optimum.score == 4
    assert tsp(matrix=tmp_path / "matrix.txt").structure.matrix.tolist() == [[0, 1, 2], [3, 0, 4], [5, 6, 0]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty; give rows of numbers"),
        ("0 1\n2 x\n", "line 2: '2 x' is not a row of finite numbers"),
        ("0 1\n2 nan\n", "line 2: '2 nan' is not a row of finite numbers"),
        ("0 1\n2\n", "line 2: 1 numbers where the rows before have 2"),
        ("0 1 2\n3 4 5\n6 7 8", r"two coordinates each, shape \(n, 2\), not \(3, 3\)"),
        ("0 1\n3 4\n", "at least 3 cities"),
    ],
)
def test_bad_files_of_points_are_refused(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text(text)
    with pytest.raises(InvalidInput, match=words) as error:
        tsp(points=tmp_path / "points.csv")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"n": 2}, "n=2 is not legal; give a whole number from 3"),
        ({"n": 5, "file": Path("x.tsp")}, "n and file cannot be combined"),
        ({"file": Path("nowhere.tsp")}, "nowhere.tsp cannot be read: No such file"),
        ({"points": Path("nowhere.csv")}, "nowhere.csv cannot be read: No such file"),
        ({"n": 5, "optimum": "near"}, "optimum='near' is not legal; give auto, exact, none, or the length"),
        ({"n": 5, "optimum": "-1"}, "optimum=.* is not legal"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        tsp(**settings)  # type: ignore[arg-type]


def test_bad_arguments_are_refused() -> None:
    directed = [[0, 1, 2], [3, 0, 4], [5, 6, 0]]
    with pytest.raises(InvalidInput, match="the way from 0 to 1 is 1 and back 3"):
        TSP(directed, symmetric=True)
    with pytest.raises(InvalidInput, match="2 points do not fit a matrix of 3 cities"):
        TSP(directed, points=[(0, 0), (1, 1)])
    with pytest.raises(InvalidInput, match="give points"):
        TSP()
    with pytest.raises(InvalidInput, match=r"point 1 is \(nan, 1.0\)"):
        TSP(points=[(0, 0), (np.nan, 1), (1, 1)])
    with pytest.raises(InvalidInput, match="two columns"):
        TSP(points=[("0", "a"), ("0", "1"), ("1", "1")])


def explicit(form: str, matrix: np.ndarray, kind: str = "TSP") -> str:
    n = len(matrix)
    lower = {"LOWER_ROW", "LOWER_DIAG_ROW", "UPPER_COL", "UPPER_DIAG_COL"}
    if form == "FULL_MATRIX":
        rows = [list(row) for row in matrix]
    else:
        with_diagonal = "DIAG" in form
        if form in lower:
            rows = [list(matrix[i, : i + with_diagonal]) for i in range(n)]
        else:
            rows = [list(matrix[i, i + 1 - with_diagonal :]) for i in range(n)]
    words = "\n".join(" ".join(map(str, row)) for row in rows)
    return (
        f"NAME: x\nTYPE: {kind}\nCOMMENT: any : words\nDIMENSION : {n}\nEDGE_WEIGHT_TYPE: EXPLICIT\n"
        f"EDGE_WEIGHT_FORMAT: {form}\nEDGE_WEIGHT_SECTION\n{words}\nEOF\n"
    )


FORMS = ["FULL_MATRIX"] + [f"{half}_{form}" for half in ("UPPER", "LOWER") for form in
                           ("ROW", "DIAG_ROW", "COL", "DIAG_COL")]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@given(n=st.integers(3, 8), seed=st.integers(0, 99))
def test_explicit_matrices_are_read_in_every_form(
    form: str, tmp_path_factory: pytest.TempPathFactory, n: int, seed: int
) -> None:
    matrix = np.random.default_rng(seed).integers(0, 99, (n, n))
    matrix = matrix + matrix.T
    np.fill_diagonal(matrix, 0)
    path = tmp_path_factory.mktemp("forms") / "x.tsp"
    path.write_text(explicit(form, matrix))
    assert read_instance(path).distances.matrix.tolist() == matrix.tolist()


def coordinates(kind: str, *points: tuple[float, float]) -> str:
    rows = "\n".join(f"{i + 1} {x} {y}" for i, (x, y) in enumerate(points))
    return f"TYPE : TSP\nDIMENSION : {len(points)}\nEDGE_WEIGHT_TYPE : {kind}\nNODE_COORD_SECTION\n{rows}\n"


@pytest.mark.parametrize(("kind", "way"), [("EUC_2D", 4), ("CEIL_2D", 5), ("MAN_2D", 6), ("MAX_2D", 4), ("ATT", 2)])
def test_distances_are_rounded_as_their_kind_says(kind: str, way: int, tmp_path: Path) -> None:
    path = tmp_path / "x.tsp"
    path.write_text(coordinates(kind, (0, 0), (2, 4), (0, 1)))
    assert read_instance(path).distances.matrix[0, 1] == way


def test_asymmetric_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.atsp"
    path.write_text(explicit("FULL_MATRIX", np.array([[0, 1, 2], [3, 0, 4], [5, 6, 0]]), "ATSP"))
    problem = tsp(file=path)
    assert problem.space.symmetry == "rotation"
    assert problem.optimum is not None and problem.optimum.score == 10


GOOD = explicit("FULL_MATRIX", np.array([[0, 1, 2], [1, 0, 4], [2, 4, 0]]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("2 4 0\n", ""), "holds 6 numbers where DIMENSION asks for 9; it may be cut off"),
        (GOOD[: GOOD.index("EDGE_WEIGHT_SECTION")], "it has no EDGE_WEIGHT_SECTION; it may be cut off"),
        (GOOD.replace("TYPE: TSP", "TYPE: CVRP"), "of TYPE CVRP; TSP and ATSP can be read"),
        (GOOD.replace("TYPE: TSP", "TYPE:"), "it has no TYPE"),
        (GOOD.replace("N : 3", "N : 4"), "holds 9 numbers where DIMENSION asks for 16; it may be cut off"),
        (GOOD.replace("N : 3", "N : 2"), "DIMENSION 2 is not legal"),
        (GOOD.replace("N : 3", "N : many"), "DIMENSION many is not legal"),
        (GOOD.replace("1 0 4", "1 zero 4"), "holds 'zero', which is not a number"),
        (GOOD.replace("1 0 4", "1 0 nan"), "from city 1 to city 2 is not a finite number"),
        (GOOD.replace("1 0 4", "1 0 5"), "promises symmetric distances, but those between cities 2 and 3 differ"),
        (GOOD.replace("1 0 4", "1 0 -4"), "is negative"),
        (GOOD.replace("EXPLICIT", "XRAY1"), "EDGE_WEIGHT_TYPE XRAY1 is not supported; legal are EXPLICIT, EUC_2D"),
        (GOOD.replace("FULL_MATRIX", "FUNCTION"), "EDGE_WEIGHT_FORMAT FUNCTION is not supported"),
        (GOOD.replace("EOF", "FIXED_EDGES_SECTION\n1 2\n-1\nEOF"), "fixed edges, which are not supported"),
        ("lorem ipsum", "'lorem ipsum' is no part of a TSPLIB file"),
        ("", "it has no TYPE"),
        (coordinates("EUC_2D", (0, 0), (1, 1), (2, 2)).replace("3 2 2", "2 2 2"), "number its cities from 1 to 3"),
        (coordinates("EUC_2D", (0, 0), (1, 1), (2, 2)).replace("3 2 2", "3 2 inf"), "a coordinate that is not finite"),
    ],
)
def test_bad_files_are_refused_in_one_line(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.tsp"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=words) as error:
        read_instance(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@given(data=st.binary(max_size=300), at=st.integers(0, len(GOOD)))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes, at: int) -> None:
    path = tmp_path_factory.mktemp("any") / "x.tsp"
    path.write_bytes(GOOD[:at].encode() + data + GOOD[at:].encode())
    try:
        assert isinstance(read_instance(path).distances, Distances)
    except InvalidInput as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("text", "words"),
    [("TYPE : TOUR\n", "no TOUR_SECTION"), ("TOUR_SECTION\n1\n3\n3\n-1\n", "is not a tour of the cities 1 to 3")],
)
def test_bad_tours_are_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.opt.tour"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=words):
        read_tour(path, 3)


def test_equal_points_are_legal() -> None:
    problem = TSP(points=[(0, 0), (0, 0), (1, 0), (1, 0)])
    assert problem.optimum is not None and problem.optimum.score == 2
