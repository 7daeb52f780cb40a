"""Where does the rain over a region come from? A map on the grid, with its coordinates.

The score is one variable over one region at one lead time; the map is for every variable and place
of the analysis the forecast began with. ``python examples/weather_grid.py`` draws weather-grid.png.
"""

from typing import Any

import numpy as np
import torch
import xarray as xr

import polyattr

LEADS, CELLS_PER_STEP = (6, 12, 18, 24), 3
REGION = {"lat": slice(40.0, 55.0), "lon": slice(0.0, 20.0)}


class Forecast(torch.nn.Module):
    """Stands for your own: humidity drifts eastwards, and falls as rain where it is cold.

    From (N, variable, lat, lon) of humidity and temperature to (N, lead, variable, lat, lon) of
    rain and temperature, a step of six hours each.
    """

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        """Steps four times."""
        humidity, temperature = state[:, 0], state[:, 1]
        steps = []
        for _ in LEADS:
            humidity, temperature = (
                torch.roll(field, CELLS_PER_STEP, dims=-1) for field in (humidity, temperature)
            )
            rain = torch.nn.functional.softplus(4 * (humidity - temperature)) / 4
            humidity = humidity - 0.2 * rain
            steps.append(torch.stack([rain, temperature], dim=1))
        return torch.stack(steps, dim=1)


def analysis() -> xr.DataArray:
    """Stands for your own data: smooth fields of humidity and temperature at one time."""
    lat, lon = np.arange(70.0, 20.0, -2.5), np.arange(-90.0, 90.0, 2.5)
    wet = np.exp(-(((lat[:, None] - 47) / 8) ** 2) - ((lon + 22) / 9) ** 2)
    warm = 0.6 + 0.4 * np.sin(np.deg2rad(90 - lat))[:, None] - 0.2 * np.cos(np.deg2rad(4 * lon))
    fields = np.stack([wet + 0.2, warm - 0.3])[None].astype(np.float32)
    coords = {"time": ["2026-02-01T00"], "variable": ["humidity", "temperature"]}
    return xr.DataArray(fields, {**coords, "lat": lat, "lon": lon}, name="analysis")


def target(start: xr.DataArray, variable: str, lead: int, region: dict[str, slice]) -> torch.Tensor:
    """Returns weights in the shape of a forecast: the mean over the area of a region."""
    coords: dict[str, Any] = {"lead": list(LEADS), "variable": ["rain", "temperature"]}
    coords |= {"lat": start.lat.values, "lon": start.lon.values}
    sizes = [len(axis) for axis in coords.values()]
    weights = xr.DataArray(np.zeros(sizes, np.float32), coords)
    lat, lon = (start[name].where((start[name] >= s.start) & (start[name] <= s.stop), drop=True)
                for name, s in region.items())  # fmt: skip
    weights.loc[{"lead": lead, "variable": variable, "lat": lat, "lon": lon}] = np.cos(
        np.deg2rad(lat)
    )
    return torch.tensor((weights / weights.sum()).values[None])


def explained(start: xr.DataArray, variable: str, lead: int) -> xr.Dataset:
    """Returns the map on the grid of `start`, in units of the score, with what is known of it."""
    method = polyattr.IntegratedGradients(
        Forecast(),
        backend="torch",
        operator="regression",
        steps="auto",
        # The path starts from the mean of each variable along its circle of latitude.
        baseline_value=torch.tensor(start.mean("lon", keepdims=True).values).expand(start.shape),
    )
    weights = target(start, variable, lead, REGION)
    found = method.attribute(start, weights.expand(len(start), -1, -1, -1, -1)).to_numpy()
    map_ = start.copy(data=found.values).rename("attribution")
    facts = {
        name: ("time", getattr(found, name)) for name in ("scores", "baseline_scores", "error")
    }
    return xr.Dataset({"attribution": map_, **facts}, attrs={"method": found.method})


def draw(found: dict[int, xr.Dataset], path: str) -> None:
    """Draws what the humidity contributes, a panel for each lead time."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(len(found), 1, figsize=(8, 2.6 * len(found)), layout="constrained")
    limit = max(float(abs(one.attribution).max()) for one in found.values())
    for panel, (lead, one) in zip(axes, found.items(), strict=True):
        field: Any = one.attribution.sel(variable="humidity").isel(time=0)
        image = panel.pcolormesh(
            field.lon, field.lat, field, cmap="RdBu_r", vmin=-limit, vmax=limit
        )
        (west, east), (south, north) = ((s.start, s.stop) for s in (REGION["lon"], REGION["lat"]))
        panel.plot([west, east, east, west, west], [south, south, north, north, south], "k-")
        score, before = float(one.scores[0]), float(one.baseline_scores[0])
        panel.set_title(f"rain after {lead} h: {before:.3f} → {score:.3f}", fontsize=10)
        panel.set(xlabel="longitude, °E", ylabel="latitude, °N")
    figure.colorbar(image, ax=axes, label="share of the rain due to humidity here")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main() -> None:
    """Explains the rain at two lead times, and draws both maps."""
    start = analysis()
    draw({lead: explained(start, "rain", lead) for lead in (6, 24)}, "weather-grid.png")


if __name__ == "__main__":
    main()
