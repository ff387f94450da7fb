package org.gradnorm4j.strategies;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.apache.commons.math3.util.FastMath;
import org.gradnorm4j.core.Tasks;
import org.gradnorm4j.weighting.Need;

/**
 * Aligned multi-task learning (Senushkin et al., <i>Independent Component Alignment for Multi-Task
 * Learning</i>, CVPR 2023, Algorithm 1). The gradients are replaced by the closest ones that are
 * orthogonal and of one length, that of their weakest principal component.
 *
 * <pre>
 *   λ = √σ_min · V Σ^(−½) Vᵀ p,  G = V Σ Vᵀ
 *
 *   p      preferences, ≥ 0, 1/T by default
 *   σ_min  smallest eigenvalue of G that is not 0
 * </pre>
 *
 * <p>Acts in the same step. Heads learn from their own, unweighted loss. The scale of the weights
 * is that of p and at most that: it falls with the condition of the gradients, so that nearly
 * collinear gradients make short steps.
 *
 * <p><b>Note:</b> eigenvalues below T &middot; 2<sup>&minus;23</sup> of the largest count as 0, as
 * in the authors' code in single precision. So a task whose gradients are 2000 times shorter than
 * another's, or differ from another's by as little, does not hold up the rest.
 */
public final class AlignedMtl extends StepStrategy<StepStrategy.None> {
  static final String ID = "aligned-mtl";

  private final Settings settings;

  AlignedMtl(Settings settings) {
    super(ID, "Aligned-MTL", Set.of(Need.GRAM), settings, new None());
    this.settings = settings;
  }

  /**
   * With equal preferences.
   *
   * @return the strategy
   */
  public static AlignedMtl create() {
    return new AlignedMtl(new Settings(Map.of(), WeightScale.AS_PUBLISHED));
  }

  /**
   * With preferences.
   *
   * @param preferences p by task, &ge; 0 and finite; none for 1/T each; copied
   * @return the strategy
   * @throws IllegalArgumentException if null, or one is outside
   */
  public AlignedMtl withPreferences(Map<String, Double> preferences) {
    return new AlignedMtl(new Settings(preferences, settings.scale));
  }

  /**
   * On another scale.
   *
   * @param scale what the weights add up to
   * @return the strategy
   * @throws IllegalArgumentException if null
   */
  public AlignedMtl with(WeightScale scale) {
    return new AlignedMtl(new Settings(settings.preferences, scale));
  }

  /** Settings, as in the factories. */
  record Settings(Map<String, Double> preferences, WeightScale scale) implements StrategySettings {
    Settings {
      preferences =
          ByTask.checked(preferences, "preference", p -> p >= 0.0, "must be >= 0 and finite");
    }

    @Override
    public Map<String, String> describe() {
      return preferences.isEmpty() ? Map.of() : Map.of("preferences", preferences.toString());
    }
  }

  @Override
  void checkSettings(Tasks tasks) {
    ByTask.checkTasks(settings.preferences, "preferences", tasks);
  }

  @Override
  double[] weigh(None none, Deciding step) {
    Gram gram = step.gram().inUnitOfLongest();
    double[][] matrix = new double[gram.size()][gram.size()];
    for (int i = 0; i < matrix.length; i++) {
      int row = i;
      Arrays.setAll(matrix[i], j -> gram.norms()[row] * gram.cosines()[row][j] * gram.norms()[j]);
    }
    Spectrum spectrum = new Spectrum(matrix);
    double smallest = spectrum.smallest();
    return spectrum.apply(
        value -> FastMath.sqrt(smallest / value),
        ByTask.of(settings.preferences, step, 1.0 / step.size()));
  }
}
