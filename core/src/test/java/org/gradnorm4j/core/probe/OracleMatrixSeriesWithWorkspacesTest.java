package org.gradnorm4j.core.probe;

import org.deeplearning4j.nn.conf.WorkspaceMode;

/** The rows of {@link OracleMatrix} on series, with workspaces enabled. */
class OracleMatrixSeriesWithWorkspacesTest extends OracleMatrix {
  OracleMatrixSeriesWithWorkspacesTest() {
    super(SERIES, WorkspaceMode.ENABLED);
  }
}
