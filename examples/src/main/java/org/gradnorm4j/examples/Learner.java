package org.gradnorm4j.examples;

import org.gradnorm4j.core.GradientNorms;
import org.gradnorm4j.gradnorm.GradNorm;
import org.nd4j.linalg.dataset.MultiDataSet;

/** A network in training, of either of Deeplearning4j's kinds. */
interface Learner {

  /** Has its loss weights balanced from now on. */
  void attach(GradNorm balancer);

  /** One training step. */
  void fit(MultiDataSet batch);

  /** Epochs completed. */
  int epochs();

  void endEpoch();

  TaskScores scores(Samples samples);

  /** An analysis of its gradients, to be configured and started. */
  GradientNorms gradientNorms();
}
