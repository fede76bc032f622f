"""The report's part on the settings that a study varies."""

from collections.abc import Iterator
from typing import Any

from study.report.part import Part
from study.spec import settings


class Definitions(Part):
    """What the settings are that the study varies, or sets away from their neutral defaults."""

    def varied(self) -> list[str]:
        """The settings that any experiment varies or search draws, in the order of these."""
        varied = [key for each in self.study.experiments for key in each.keys]
        drawn = [key for each in self.study.plan.searches for key in each.space]
        return list(dict.fromkeys([*varied, *drawn]))

    def explained(self, key: str) -> Iterator[str]:
        """What a setting is, an image for it, and why it matters."""
        for part in ("what", "intuition", "why"):
            if part in self.words.language.entry(f"settings.{key}"):
                yield f"**{self.text(f'hyperparameters.{part}')}** {self._about(key, part)}"

    def _about(self, key: str, part: str) -> str:
        return self.words.language.text(f"settings.{key}.{part}")

    def _tried(self, key: str) -> list[Any]:
        tried = [value.varied[key] for _, value in self.study.values if key in value.varied]
        trials = [trial.settings for each in self.study.plan.searches for trial in each.trials]
        tried += sorted(drawn[key] for drawn in trials if key in drawn)
        return list({settings.text(value): value for value in tried}.values())

    def tried(self, key: str) -> str:
        """The values of a setting that any experiment tries."""
        names = [self.words.value_name(key, value) for value in self._tried(key)]
        return self.text("hyperparameters.tried", values=self.words.listed(names))

    def described(self, key: str) -> list[str]:
        """The values tried that the catalogue describes."""
        known = self.words.language.entry(f"settings.{key}").get("values", {})
        tried = [known[text] for text in map(settings.text, self._tried(key)) if text in known]
        return [f"**{value['name']}.** {value['what'].strip()}" for value in tried]

    def others(self) -> Iterator[str]:
        """What is never varied but set away from its default, and what it is."""
        study = self.study
        known = study.plan.hyperparameters
        starts = [study.plan.baseline]
        starts += [experiment.settings for experiment in study.experiments]
        starts += [study.final.varied] if study.final else []
        for key in known.names:
            values = [
                start[key]
                for start in starts
                if settings.is_used(key, start["optimizer"]) and start[key] != known.default(key)
            ]
            if values and key not in self.varied():
                names = dict.fromkeys(self.words.value_name(key, value) for value in values)
                title = self.words.setting_title(key)
                is_told = "what" in self.words.language.entry(f"settings.{key}")
                what = f" {self._about(key, 'what')}" if is_told else ""
                yield f"**{title}: {'; '.join(names)}.**{what}"
