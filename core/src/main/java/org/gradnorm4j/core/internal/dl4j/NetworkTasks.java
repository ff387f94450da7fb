package org.gradnorm4j.core.internal.dl4j;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.gradnorm4j.core.loss.CompositeLoss;
import org.gradnorm4j.core.loss.WeightPenalty;

/**
 * The tasks of a network, in the order of every array: for each output its own or, if its loss is a
 * {@link CompositeLoss}, one per term; then one per named {@link WeightPenalty}.
 */
public final class NetworkTasks {
  private final List<String> names = new ArrayList<>();
  private final List<Double> weights = new ArrayList<>();
  private final List<BitSet> ofOutput = new ArrayList<>();
  private final List<PenaltyTerm> penalties;

  /**
   * For the outputs' losses and the penalties of a network.
   *
   * @throws IllegalArgumentException if two tasks have the same name; names it
   */
  NetworkTasks(List<String> outputs, List<OutputLoss> losses, List<PenaltyTerm> penalties) {
    for (int output = 0; output < outputs.size(); output++) {
      BitSet own = new BitSet();
      if (WeightedLoss.unwrap(losses.get(output).get()) instanceof CompositeLoss composite) {
        String prefix = outputs.size() == 1 ? "" : outputs.get(output) + "/";
        for (int term = 0; term < composite.termNames().size(); term++) {
          own.set(names.size());
          add(prefix + composite.termNames().get(term), composite.weights()[term]);
        }
      } else {
        own.set(names.size());
        add(outputs.get(output), 1.0);
      }
      ofOutput.add(own);
    }
    this.penalties = penalties;
    penalties.forEach(penalty -> add(penalty.name(), penalty.weight()));
    for (String name : names) {
      if (Collections.frequency(names, name) > 1) {
        throw new IllegalArgumentException(
            "two tasks have the name '"
                + name
                + "'. Outputs, terms of a CompositeLoss and weight penalties need names of their own");
      }
    }
  }

  private void add(String name, double weight) {
    names.add(name);
    weights.add(weight);
  }

  public int count() {
    return names.size();
  }

  /** The tasks whose gradient comes back from an output: all but the penalties. */
  public int countOfOutputs() {
    return count() - penalties.size();
  }

  public List<String> names() {
    return List.copyOf(names);
  }

  /** λ_i as configured: 1 for a plain output. */
  public double[] weights() {
    return weights.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /**
   * Checks weights that are to be trained with.
   *
   * @throws IllegalArgumentException if one is missing, infinite, NaN or 0
   */
  void checkLossWeights(double[] lossWeights) {
    if (lossWeights == null || lossWeights.length != names.size()) {
      throw new IllegalArgumentException(
          "lossWeights ("
              + (lossWeights == null ? "null" : "length " + lossWeights.length)
              + ") must have one value per task "
              + names);
    }
    for (int i = 0; i < lossWeights.length; i++) {
      if (!Double.isFinite(lossWeights[i]) || lossWeights[i] == 0.0) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "task '%s': loss weight (%s) must be finite and not 0. Use a small weight instead, such as 1e-6",
                names.get(i),
                lossWeights[i]));
      }
    }
  }

  /** The tasks of an output. Not to be modified. */
  public BitSet of(int output) {
    return ofOutput.get(output);
  }

  public List<PenaltyTerm> penalties() {
    return penalties;
  }

  /** The task of a penalty, by its position in {@link #penalties()}. */
  int ofPenalty(int penalty) {
    return countOfOutputs() + penalty;
  }
}
