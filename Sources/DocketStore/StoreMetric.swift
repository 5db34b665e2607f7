/// What a store counts through swift-metrics, where it is told to.
public enum StoreMetric {
  /// How many writes were committed together.
  public static let writeGroup = "docket_write_group_size"
  /// From the beginning of a group of writes to its commit.
  public static let writeGroupDuration = "docket_write_group_duration_seconds"
  /// How long it took until a commit was on disk.
  public static let logSync = "docket_log_sync_duration_seconds"
}
