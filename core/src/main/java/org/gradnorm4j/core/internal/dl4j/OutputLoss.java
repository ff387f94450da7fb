package org.gradnorm4j.core.internal.dl4j;

import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.layers.BaseOutputLayer;
import org.deeplearning4j.nn.conf.layers.CenterLossOutputLayer;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.ocnn.OCNNOutputLayer;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/**
 * The loss function of an output layer, to read and to replace. DL4J's output layers have it under
 * the same name but without a common type.
 */
public record OutputLoss(
    Layer layer, Supplier<ILossFunction> getter, Consumer<ILossFunction> setter) {

  /**
   * The loss function of the layer, or empty if all of its gradient does not go through one: YOLO2,
   * SameDiff and one-class outputs compute their own, and center loss adds a term beside it.
   */
  public static Optional<OutputLoss> of(Layer layer) {
    if (layer instanceof CenterLossOutputLayer || layer instanceof OCNNOutputLayer) {
      return Optional.empty();
    }
    OutputLoss loss = null;
    if (layer instanceof BaseOutputLayer output) {
      loss = new OutputLoss(output, output::getLossFn, output::setLossFn);
    } else if (layer instanceof LossLayer output) {
      loss = new OutputLoss(output, output::getLossFn, output::setLossFn);
    } else if (layer instanceof RnnLossLayer output) {
      loss = new OutputLoss(output, output::getLossFn, output::setLossFn);
    } else if (layer instanceof CnnLossLayer output) {
      loss = new OutputLoss(output, output::getLossFn, output::setLossFn);
    } else if (layer instanceof Cnn3DLossLayer output) {
      loss = new OutputLoss(output, output::getLossFn, output::setLossFn);
    }
    return Optional.ofNullable(loss).filter(found -> found.get() != null);
  }

  public ILossFunction get() {
    return getter.get();
  }

  public void set(ILossFunction loss) {
    setter.accept(loss);
  }
}
