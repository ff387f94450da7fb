package org.gradnorm4j.examples;

import java.util.List;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;

/**
 * A multi-task network, not trained yet, and its data.
 *
 * @param network its seed fixes the initial parameters; its layer {@link #SHARED_LAYER} is the last
 *     that all outputs depend on
 * @param train trained on
 * @param test never trained on
 * @param classification whether labels are one-hot, so that accuracies have a meaning
 */
record Problem(
    ComputationGraphConfiguration network, Samples train, Samples test, boolean classification) {

  /** The layer on whose weights gradient norms are measured. */
  static final String SHARED_LAYER = "shared";

  /** One per output. */
  List<String> taskNames() {
    return network.getNetworkOutputs();
  }
}
