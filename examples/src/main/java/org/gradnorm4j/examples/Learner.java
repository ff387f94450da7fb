package org.gradnorm4j.examples;

import java.io.IOException;
import java.nio.file.Path;
import org.gradnorm4j.core.analysis.GradientNorms;
import org.nd4j.linalg.dataset.MultiDataSet;

/** A network in training, of either of Deeplearning4j's kinds. */
interface Learner {

  /** Has its loss weights chosen from now on. */
  void attach(Weighting weighting);

  /** One training step. */
  void fit(MultiDataSet batch);

  /** Epochs completed. */
  int epochs();

  void endEpoch();

  TaskScores scores(Samples samples);

  /** Saves it as Deeplearning4j does, updater included. */
  void save(Path file) throws IOException;

  /** An analysis of its gradients, to be configured and started. */
  GradientNorms gradientNorms();
}
