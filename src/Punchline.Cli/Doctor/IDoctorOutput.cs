using Punchline.Engine;
using Punchline.Protocols.Traversal;

namespace Punchline.Cli.Doctor;

/// <summary>Where the doctor's words go.</summary>
internal interface IDoctorOutput
{
    /// <summary>It is at work, and knows so much.</summary>
    void ShowProgress(NetworkReport soFar);

    void Show(Diagnosis diagnosis);

    /// <summary>It looks for nodes of the DHT.</summary>
    void ShowDhtProgress();

    void ShowDht(DhtReport report);
}
