namespace Punchline.Engine;

/// <summary>Wakes all who wait for anything to change, so that each looks for itself. Guarded by the engine's gate.</summary>
internal sealed class News
{
    private TaskCompletionSource? _next;

    /// <summary>Completes with the next <see cref="Signal"/>.</summary>
    public Task Next => (_next ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    public void Signal()
    {
        _next?.SetResult();
        _next = null;
    }
}
