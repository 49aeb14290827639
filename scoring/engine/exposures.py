"""Assets by the cell and the damage curve that they share, ready for any event."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.engine.arrays import Floats, Integers
from scoring.engine.errors import EngineError

NO_CURVE: Final = -1
# A whole number tells ratios of one group apart to twelve digits.
RATIO_STEPS: Final = 1 << 40

Curve = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InsuredAssets:
    """Assets and their terms, arrays of shape (n_assets,).

    Attributes
    ----------
    cell : ndarray, int64
        Row of the asset's cell in the forecast.
    curve : ndarray, int64
        Row of the damage ratios; `NO_CURVE` is a total loss in every event.
    value, deductible, limit : ndarray
        Not negative; `limit` is infinite where there is none.
    """

    cell: Integers
    curve: Integers
    value: Floats
    deductible: Floats
    limit: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExposureTable:
    """Loss by damage ratio of all assets that share a cell and a curve: a group.

    The loss of a group is continuous and piecewise linear in the ratio, so that its
    knots replace its assets. Terms are those of each asset: it loses nothing up to
    the ratio `attachment`, `payout` from the ratio `exhaustion` on, and in between
    `value * ratio - deductible`.
    """

    group: Integers
    value: Floats
    deductible: Floats
    attachment: Floats
    exhaustion: Floats
    payout: Floats
    group_cell: Integers
    group_curve: Integers
    knots: "Knots"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Knots:
    """Where the slope of a group's loss changes, and loss and slope from there on."""

    key: Integers
    ratio: Floats
    loss: Floats
    slope: Floats


def damage_ratios(curves: Sequence[Curve], severities: Floats) -> Floats:
    """Share of the value that is lost, by curve and rank of the severity.

    Parameters
    ----------
    curves : sequence of (severities ascending, ratios in [0, 1])
        Linear in between, constant beyond both ends.
    severities : ndarray of shape (n_ranks,), ascending
        Equally likely severities of an event; every event has severity 1 if none
        is known.

    Returns
    -------
    ndarray of shape (n_curves + 1, n_ranks)
        The last row, which `NO_CURVE` points to, is a total loss.
    """
    known = severities if severities.size else np.ones(1)
    rows = [np.interp(known, points, ratios) for points, ratios in curves]
    table = np.vstack([*rows, np.ones(known.size)])
    if not np.all((table >= 0.0) & (table <= 1.0)):
        raise EngineError("The ratios of a damage curve are numbers from 0 to 1.")
    return table


def build_table(assets: InsuredAssets) -> ExposureTable:
    """Group assets by cell and curve; a portfolio needs that once for a grid."""
    if not assets.cell.size:
        raise EngineError("There is no asset to lose anything.")
    money = np.stack([assets.value, assets.deductible, assets.limit])
    if not (np.isfinite(money[:2]).all() and np.all(money >= 0.0)):
        raise EngineError("Values, deductibles and limits are numbers from 0 on.")
    keys = np.stack([assets.cell, assets.curve])
    groups, group = np.unique(keys, axis=1, return_inverse=True)
    payout = np.minimum(assets.limit, np.maximum(assets.value - assets.deductible, 0.0))
    # An asset that cannot lose anything attaches where it is exhausted.
    attachment, exhaustion = np.ones((2, payout.size))
    pays = payout > 0.0
    attachment[pays] = assets.deductible[pays] / assets.value[pays]
    exhaustion[pays] = (assets.deductible + payout)[pays] / assets.value[pays]
    exhaustion = np.minimum(exhaustion, 1.0)
    slope = np.where(pays, assets.value, 0.0)
    return ExposureTable(
        group=group,
        value=slope,
        deductible=np.where(pays, assets.deductible, 0.0),
        attachment=attachment,
        exhaustion=exhaustion,
        payout=payout,
        group_cell=groups[0],
        group_curve=groups[1],
        knots=_knots(group, attachment, exhaustion, slope, n_groups=groups.shape[1]),
    )


def group_losses(
    table: ExposureTable, group: NDArray[np.integer], ratio: Floats
) -> Floats:
    """Losses of some groups at some ratios, arrays of one shape."""
    knots = table.knots
    if knots.key.size == table.group_cell.size:
        place = group
    else:
        place = np.searchsorted(knots.key, ratio_key(group, ratio), side="right") - 1
    beyond = np.maximum(ratio - knots.ratio[place], 0.0)
    loss = knots.loss[place] + knots.slope[place] * beyond
    return np.asarray(np.maximum(loss, 0.0))


def ratio_key(group: NDArray[np.integer], ratio: Floats) -> Integers:
    """Whole numbers that sort by group, then ratio."""
    return group.astype(np.int64) * (RATIO_STEPS * 2) + np.rint(
        ratio * RATIO_STEPS
    ).astype(np.int64)


def sums_by_place(
    place: NDArray[np.integer], values: Floats, *, size: int = 0
) -> Floats:
    """Sum values that share a place, shape (size,) or as many as there are places."""
    return np.asarray(np.bincount(place, values, minlength=size), dtype=np.float64)


def _knots(
    group: Integers,
    attachment: Floats,
    exhaustion: Floats,
    slope: Floats,
    *,
    n_groups: int,
) -> Knots:
    steep, flat = attachment < 1.0, exhaustion < 1.0
    groups = np.concatenate([np.arange(n_groups), group[steep], group[flat]])
    ratio = np.concatenate([np.zeros(n_groups), attachment[steep], exhaustion[flat]])
    change = np.concatenate([np.zeros(n_groups), slope[steep], -slope[flat]])
    keys, first, place = np.unique(
        ratio_key(groups, ratio), return_index=True, return_inverse=True
    )
    ratios, of_group = ratio[first], groups[first]
    slopes = _running_sum(sums_by_place(place, change), of_group)
    width = np.diff(ratios, append=0.0)
    gain = np.append(0.0, (slopes * width)[:-1])
    gain[np.diff(of_group, prepend=-1) > 0] = 0.0
    return Knots(
        key=keys, ratio=ratios, loss=_running_sum(gain, of_group), slope=slopes
    )


def _running_sum(values: Floats, group: Integers) -> Floats:
    """Cumulative sum that starts anew with each group."""
    total = np.cumsum(values)
    first = np.flatnonzero(np.diff(group, prepend=-1))
    return np.asarray(total - (total - values)[first][group])
