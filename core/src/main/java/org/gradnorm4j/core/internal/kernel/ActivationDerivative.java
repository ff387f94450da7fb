package org.gradnorm4j.core.internal.kernel;

import java.util.Set;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationCube;
import org.nd4j.linalg.activations.impl.ActivationELU;
import org.nd4j.linalg.activations.impl.ActivationGELU;
import org.nd4j.linalg.activations.impl.ActivationHardSigmoid;
import org.nd4j.linalg.activations.impl.ActivationHardTanH;
import org.nd4j.linalg.activations.impl.ActivationIdentity;
import org.nd4j.linalg.activations.impl.ActivationLReLU;
import org.nd4j.linalg.activations.impl.ActivationMish;
import org.nd4j.linalg.activations.impl.ActivationRationalTanh;
import org.nd4j.linalg.activations.impl.ActivationReLU;
import org.nd4j.linalg.activations.impl.ActivationRectifiedTanh;
import org.nd4j.linalg.activations.impl.ActivationSELU;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationSoftPlus;
import org.nd4j.linalg.activations.impl.ActivationSoftSign;
import org.nd4j.linalg.activations.impl.ActivationSwish;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.scalar.RectifiedLinearDerivative;
import org.nd4j.linalg.factory.Nd4j;

/**
 * f' of a layer a = f(z), and whether z is needed for it. Of a plain ReLU f'(z), 1 where a > 0 and
 * 0 elsewhere, is read off the output a and does in the place of z as well; of identity any array
 * of the shape does.
 */
public final class ActivationDerivative {
  /** Those that work element by element. */
  private static final Set<Class<? extends IActivation>> ELEMENTWISE =
      Set.of(
          ActivationCube.class,
          ActivationELU.class,
          ActivationGELU.class,
          ActivationHardSigmoid.class,
          ActivationHardTanH.class,
          ActivationIdentity.class,
          ActivationLReLU.class,
          ActivationMish.class,
          ActivationRationalTanh.class,
          ActivationReLU.class,
          ActivationRectifiedTanh.class,
          ActivationSELU.class,
          ActivationSigmoid.class,
          ActivationSoftPlus.class,
          ActivationSoftSign.class,
          ActivationSwish.class,
          ActivationTanH.class);

  private final IActivation activation;
  private final KeptArray steps = new KeptArray('c');
  private final KeptArray points = new KeptArray('c');
  private final KeptArray ones = new KeptArray('c');
  private INDArray standIn;
  private INDArray standInInput;
  private INDArray point;
  private INDArray derivative;

  public ActivationDerivative(IActivation activation) {
    this.activation = activation;
  }

  boolean isIdentity() {
    return activation instanceof ActivationIdentity;
  }

  /** Whether f'(z) ⊙ ε is all there is to the activation's backward pass. */
  boolean isElementwise() {
    return ELEMENTWISE.contains(activation.getClass());
  }

  /** Whether f'(z) can be read off a = f(z): identity and a plain ReLU. */
  public static boolean isReadOffOutputs(IActivation activation) {
    return activation instanceof ActivationIdentity || isPlainRelu(activation);
  }

  private static boolean isPlainRelu(IActivation activation) {
    return activation.equals(new ActivationReLU());
  }

  /**
   * The training forward pass gave this. What is needed of it is taken now, as a layer behind may
   * write into it.
   *
   * @param input the layer's, by which the step is known again; null if a is not f(z), being masked
   */
  public void forward(INDArray a, INDArray input) {
    forget();
    if (input != null && isReadOffOutputs(activation)) {
      standIn = isIdentity() ? a : steps.sized(a.dataType(), a.shape());
      standInInput = input;
      if (!isIdentity()) {
        Blas.INSTANCE.step(a, standIn);
      }
    }
  }

  /** What was kept of a step is of no more use. */
  public void forget() {
    standIn = null;
    standInInput = null;
    point = null;
    derivative = null;
  }

  /** What does in the place of z, or null if z is needed, or that forward pass was not seen. */
  public INDArray standIn(INDArray input) {
    return standInInput == input ? standIn : null;
  }

  /** Fixes z for the calls of {@link #multiply} that follow. */
  void at(INDArray z) {
    point = z;
    derivative = null;
  }

  /**
   * δ = ε ⊙ f'(z).
   *
   * @param epsilon not modified
   * @param delta of the same shape; modified
   */
  void multiply(INDArray epsilon, INDArray delta) {
    if (isIdentity()) {
      delta.assign(epsilon);
    } else if (point == standIn) {
      Blas.INSTANCE.select(point, epsilon, delta);
    } else if (isPlainRelu(activation)) {
      Nd4j.exec(new RectifiedLinearDerivative(point, epsilon, delta, 0.0));
    } else if (isElementwise()) {
      if (derivative == null) {
        derivative =
            backprop(
                points.sized(point.dataType(), point.shape()).assign(point),
                ones.sized(point.dataType(), point.shape()).assign(1.0));
      }
      Blas.INSTANCE.multiply(epsilon, derivative, delta);
    } else {
      delta.assign(backprop(point.dup('c'), epsilon.dup('c')));
    }
  }

  /**
   * δ = ε ⊙ f'(z), bit for bit that of DL4J, in row order.
   *
   * @param z or its stand-in; may be modified, and be the result
   * @param epsilon modified only where DL4J's own activation modifies it
   */
  INDArray backprop(INDArray z, INDArray epsilon) {
    if (z == standIn && isPlainRelu(activation) && z.dataType() == epsilon.dataType()) {
      Blas.INSTANCE.select(z, epsilon, z);
      return z;
    }
    return activation.backprop(z, epsilon).getFirst();
  }
}
