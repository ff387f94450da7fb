package org.gradnorm4j.core.probe;

import org.deeplearning4j.nn.conf.WorkspaceMode;

/** The rows of {@link OracleMatrix} on series, with workspaces off. */
class OracleMatrixSeriesWithoutWorkspacesTest extends OracleMatrix {
  OracleMatrixSeriesWithoutWorkspacesTest() {
    super(SERIES, WorkspaceMode.NONE);
  }
}
