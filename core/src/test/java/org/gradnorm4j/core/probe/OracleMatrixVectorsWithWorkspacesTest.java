package org.gradnorm4j.core.probe;

import org.deeplearning4j.nn.conf.WorkspaceMode;

/** The rows of {@link OracleMatrix} on vectors, with workspaces enabled. */
class OracleMatrixVectorsWithWorkspacesTest extends OracleMatrix {
  OracleMatrixVectorsWithWorkspacesTest() {
    super(VECTORS, WorkspaceMode.ENABLED);
  }
}
