/**
 * What a run looks like: {@link org.gradnorm4j.report.Report} is a page to keep, {@link
 * org.gradnorm4j.report.Chart} a picture in it. Both are drawn from the quantities of a {@link
 * org.gradnorm4j.history.History}, of any strategy. Uses {@code org.gradnorm4j.history} and {@code
 * org.gradnorm4j.weighting}, no type of ND4J.
 */
package org.gradnorm4j.report;
