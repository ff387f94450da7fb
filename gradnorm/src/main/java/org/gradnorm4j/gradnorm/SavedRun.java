package org.gradnorm4j.gradnorm;

import java.util.List;

/**
 * What a state file has.
 *
 * @param settings the last ones
 * @param settingsChanges how they came to be so, to be read
 * @param sharedLayers that were measured, chosen or found
 * @param stepsUntilMeasured how many steps go by unmeasured before the next
 * @param lastStep null before the first step
 */
record SavedRun(
    GradNormSettings settings,
    List<String> settingsChanges,
    List<String> taskNames,
    List<String> sharedLayers,
    int stepsUntilMeasured,
    GradNormState state,
    GradNormStep lastStep) {}
