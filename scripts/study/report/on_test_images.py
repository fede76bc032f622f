"""The report's part on the final model of classes on the test images."""

from collections.abc import Iterator

import numpy as np

from study.final.evaluation import Evaluation
from study.report.part import side_of_zero
from study.report.tested import Tested
from study.results.findings import Estimate
from study.statistics import calibration, classification


class OnTestImages(Tested):
    """Whether its probabilities are right, and which classes it takes for which."""

    @property
    def evaluation(self) -> Evaluation:
        """The final model's probabilities."""
        return self.study.evaluation

    @property
    def _number_of_seeds(self) -> str:
        """The form of a sentence."""
        return "one" if self.is_one else "other"

    def _count(self, images: float) -> str:
        """A mean over the seeds, which is whole of one."""
        return self.words.number(images, 0 if self.is_one else 1)

    def _count_images(self, images: float) -> str:
        """`1 image`, `12.5 images`."""
        is_single = self.is_one and round(images) == 1
        return self.text(f"images.{'one' if is_single else 'other'}", n=self._count(images))

    def measured_beside(self) -> dict[str, list[str]]:
        """Balanced accuracy and macro F1."""
        found = [self.evaluation.averages]
        if not self.is_one:
            found.append(self.evaluation.ensemble_averages)
        return {
            measure: [self.words.with_half(getattr(each, measure)) for each in found]
            for measure in classification.Averages._fields
        }

    def results_note(self) -> str:
        """What the table's intervals and its last columns are."""
        averages = self.words.counted("tested.averages_note", len(self.evaluation.seeds))
        return f"{super().results_note()} {averages}"

    def about_frequencies(self) -> Iterator[str]:
        """What always naming one class is worth, and what rare classes make of the score."""
        if not self.is_unbalanced("test"):
            return
        averages, words = self.evaluation.averages, self.words
        tested = np.count_nonzero(self.study.class_counts["test"].counts)
        frequent = self.text("tested.unbalanced", **self.most_frequent("test"))
        equal = self.text(
            "tested.averages",
            balanced_accuracy=words.percent(averages.balanced_accuracy.mean),
            one_class=words.percent(1 / tested),
            macro_f1=words.percent(averages.macro_f1.mean),
        )
        yield f"{frequent} {equal}"

    def about_calibration(self) -> Iterator[str]:
        """How far probabilities are from accuracies, to which side, and where most."""
        evaluation, words = self.evaluation, self.words
        error, over_seeds = evaluation.calibration_error
        yield self.text(
            f"tested.calibration_error{'_one_seed' if np.isnan(over_seeds.low) else ''}",
            error=words.points(error),
            bins=calibration.BINS,
            low=words.points(over_seeds.low),
            high=words.points(over_seeds.high),
        )
        gap = evaluation.overconfidence
        yield self.text(
            f"tested.confidence_{side_of_zero(gap.widest)}",
            confidence=words.percent(evaluation.confidence.mean()),
            accuracy=words.percent(evaluation.accuracy.mean),
            gap=words.points(abs(gap.mean)),
            **self.ends(gap.widest),
        )
        table = evaluation.mean_reliability
        gaps = calibration.weighted_gaps(table)
        if gaps.max() > 0:
            worst = gaps.idxmax()
            row = table.loc[worst]
            yield self.text(
                f"tested.farthest_{'above' if row.confidence > row.accuracy else 'below'}",
                low=words.language.percent(worst / calibration.BINS, 0),
                high=words.language.percent((worst + 1) / calibration.BINS, 0),
                share=words.language.percent(row.share, 1),
                confidence=words.language.percent(row.confidence, 1),
                accuracy=words.language.percent(row.accuracy, 1),
            )
        if not self.is_one:
            ensemble = evaluation.ensemble_calibration_error
            yield self.text(
                f"tested.ensemble_{'better' if ensemble < error else 'worse'}_calibrated",
                ensemble=words.points(ensemble),
                single=words.points(error),
            )

    def calibration_figure(self) -> str:
        """The reliability diagram."""
        gap = self.evaluation.overconfidence.mean
        alternative = self.text(
            "tested.calibration_alt",
            confidence=self.words.percent(self.evaluation.confidence.mean()),
            accuracy=self.words.percent(self.evaluation.accuracy.mean),
            gap=self.words.signed(gap),
        )
        return self.figure("final_calibration", alternative)

    def scores_note(self) -> str:
        """What the table of scores has."""
        return self.words.counted("tested.scores_note", len(self.evaluation.seeds))

    def scores(self) -> str:
        """A table of precision, recall and F1 of each class."""
        found, n = self.evaluation.scores, len(self.evaluation.seeds)
        columns = {self.text("columns.class"): self.classes}
        for score in classification.SCORES:
            parts = (found[f"{score}_{part}"] for part in ("mean", "sd", "low", "high"))
            columns[self.text(f"columns.{score}")] = [
                self.words.with_half(Estimate(n, *numbers)) for numbers in zip(*parts, strict=True)
            ]
        return self.table(columns, "lrrr")

    def about_classes(self) -> str:
        """Which classes are told best and worst, and how much the frequent confusions explain."""
        confusion, confused = self.evaluation.confusion, self.evaluation.confused()
        mistakes = confusion.sum() - np.trace(confusion)
        if not mistakes:
            return self.text("tested.no_mistakes", count=self.count)
        share = sum(count for _, _, count in confused) / mistakes
        sentences = [
            self._extremes_in_words("extremes"),
            self.text(
                f"tested.most_confused.{'one' if len(confused) == 1 else 'other'}",
                count=self.words.number(len(confused)),
                share=self.words.language.percent(share, 0),
            ),
        ]
        return " ".join(sentences)

    def _extremes_in_words(self, key: str) -> str:
        """Which classes have the highest and the lowest F1, of those with test images."""
        f1 = self.evaluation.scores["f1_mean"].dropna()
        ends = f1.max(), f1.min()
        best, worst = (
            self.words.joined([self.classes[place] for place in f1.index[np.isclose(f1, end)]])
            for end in ends
        )
        highest, lowest = map(self.words.percent, ends)
        if highest == lowest:
            return self.text(f"tested.{key}_equal", f1=highest)
        return self.text(f"tested.{key}", best=best, best_f1=highest, worst=worst, worst_f1=lowest)

    def confused_note(self) -> str:
        """What the numbers of confusions are."""
        return self.words.counted("tested.confused_note", len(self.evaluation.seeds))

    def confused(self) -> str:
        """A table of the most frequent confusions; nothing where there are none."""
        rows = [
            [
                self.classes[label],
                self.classes[taken],
                self._count(count),
                self.words.number(100 * count / self.evaluation.confusion[label].sum(), 1),
            ]
            for label, taken, count in self.evaluation.confused()
        ]
        if not rows:
            return ""
        headings = self.headings("true_class", "taken_for", "images", "share")
        return self.rows(headings, rows, "llrr")

    def confusion_matrix(self) -> str:
        """The figure of the confusion matrix."""
        confused = self.evaluation.confused(1)
        if not confused:
            alternative = self.text("tested.confusion_alt_right", count=self.count)
            return self.figure("final_confusion", alternative)
        [(label, taken, count)] = confused
        alternative = self.text(
            "tested.confusion_alt",
            accuracy=self.words.percent(self.evaluation.accuracy.mean),
            true=self.classes[label],
            predicted=self.classes[taken],
            images=self._count_images(count),
            share=self.words.language.percent(count / self.evaluation.confusion[label].sum(), 1),
        )
        return self.figure("final_confusion", alternative)

    def confused_figure(self) -> str:
        """The figure of examples of the most frequent confusions; nothing without images."""
        if not self.study.data.dataset.is_images:
            return ""
        confused = self.evaluation.confused(1)
        if not confused:
            return self.figure(
                "final_confused", self.text("tested.confused_alt_none", seeds=self.seeds)
            )
        [(label, taken, count)] = confused
        alternative = self.text(
            f"tested.confused_alt.{self._number_of_seeds}",
            true=self.classes[label],
            predicted=self.classes[taken],
            common=len(self.evaluation.examples(label, taken, len(self.evaluation.labels))),
            images=self._count_images(count),
        )
        return self.figure("final_confused", alternative)

    def scores_figure(self) -> str:
        """The figure of the scores."""
        return self.figure("final_classes", self._extremes_in_words("classes_alt"))

    def mistakes(self) -> str:
        """The figure of the most confident mistakes; nothing without images."""
        if not self.study.data.dataset.is_images:
            return ""
        mistakes = self.evaluation.mistakes(1)
        if mistakes.empty:
            alternative = self.text("tested.mistakes_alt_none", seeds=self.seeds)
            return self.figure("final_mistakes", alternative)
        [mistake] = mistakes.itertuples()
        alternative = self.text(
            f"tested.mistakes_alt.{self._number_of_seeds}",
            true=self.classes[mistake.label],
            predicted=self.classes[mistake.predicted],
            confidence=self.words.language.percent(mistake.confidence, 1),
        )
        return self.figure("final_mistakes", alternative)
