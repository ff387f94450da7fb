package org.gradnorm4j.core;

import org.deeplearning4j.nn.conf.WorkspaceMode;

/** The rows of {@link OracleMatrix} with workspaces enabled. */
class OracleMatrixWithWorkspacesTest extends OracleMatrix {
  @Override
  WorkspaceMode workspaces() {
    return WorkspaceMode.ENABLED;
  }
}
